import { AsyncLocalStorage } from 'node:async_hooks';
import { inject } from 'vitest';
import { messageOf } from '../base/errors.ts';
import { type TestName, testKey } from '../events/identity.ts';
import { clip, clipCommand } from '../events/log.ts';
import type { CommandEntry } from '../events/types.ts';
import type { Target } from '../targets/target.ts';
import { type JournalEntry, note } from './journal.ts';

/** The most of one write that is kept, in characters. */
const MOST_OF_WRITE = 64 * 1024;
/** The most that is noted of one attempt, in characters: a test may print for ever. */
const MOST_OF_ATTEMPT = 8 * 2 ** 20;

/** Who is running, so that what is printed and run can be told to be a test's. */
interface Running {
  readonly context: AsyncLocalStorage<TestName>;
  /** Attempts that have begun and not ended, and how much of each has been noted, in characters. */
  readonly open: Map<string, { readonly test: TestName; chars: number }>;
  /** The file that is running, and how much its hooks have noted. */
  file: string;
  fileChars: number;
}

/** The runner and a suite's files have a copy of this module each, so what they share is the process's. */
const RUNNING = Symbol.for('multiarch-harness: what is running in this process');
const shared = globalThis as { [RUNNING]?: Running };

function running(): Running {
  shared[RUNNING] ??= { context: new AsyncLocalStorage(), open: new Map(), file: '', fileChars: 0 };
  return shared[RUNNING];
}

/** From now on, what hooks print is of this file. */
export function beginFile(file: string): void {
  Object.assign(running(), { file, fileChars: 0 });
}

export function beginAttempt(test: TestName): void {
  running().open.set(testKey(test), { test, chars: 0 });
}

export function endAttempt(test: TestName): void {
  running().open.delete(testKey(test));
}

/** Runs the body of a test: what it does is told to be its own also where others run beside it. */
export function inTest<T>(test: TestName, body: () => T): T {
  return running().context.run(test, body);
}

/** Notes an entry in the journal, before anything else can happen. */
function noteEntry(entry: JournalEntry, chars: number): void {
  const { context, open, file } = running();
  const own = context.getStore();
  // A hook before a test, or behind it, is its own while no other runs.
  const sole = open.size === 1 ? [...open.values()][0] : undefined;
  const of = (own && open.get(testKey(own))) ?? (own === undefined ? sole : undefined);
  const before = of ? of.chars : running().fileChars;
  if (before > MOST_OF_ATTEMPT) return;
  if (of) of.chars += chars;
  else running().fileChars += chars;
  note(inject('harness').journal, of ? { of: of.test, entry } : { file, entry });
}

/** Notes everything that this process prints, and prints it. To be called once a process. */
export function recordPrinting(): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const out = process[stream];
    const write = out.write.bind(out) as (...args: unknown[]) => boolean;
    out.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      if (text !== '')
        noteEntry({ type: 'printed', at: Date.now(), stream, text: clip(text, MOST_OF_WRITE) }, text.length);
      return write(chunk, ...rest);
    };
  }
}

/**
 * A machine whose commands are noted, each when it has ended.
 * @param node its name in a cluster.
 */
export function recorded(target: Target, node?: string): Target {
  return {
    ...target,
    async exec(argv, options) {
      const at = Date.now();
      const started = performance.now();
      const say = (end: Pick<CommandEntry, 'exitCode' | 'error'> & { stdout: string; stderr: string }) => {
        // What is measured is not to wait for our disk.
        if (inject('harness').step === 'benchmarks' && end.exitCode === 0) return;
        const durationMs = Math.round(performance.now() - started);
        const named = node === undefined ? {} : { node };
        const entry = clipCommand({ type: 'command', at, ...named, argv, ...end, durationMs } as const);
        noteEntry(entry, JSON.stringify(entry).length);
      };
      try {
        const result = await target.exec(argv, options);
        say({ exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr });
        return result;
      } catch (error) {
        say({ error: messageOf(error), stdout: '', stderr: '' });
        throw error;
      }
    },
  };
}
