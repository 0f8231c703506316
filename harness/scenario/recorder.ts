import { AsyncLocalStorage } from 'node:async_hooks';
import { inject } from 'vitest';
import { messageOf } from '../base/errors.ts';
import { type TestName, testKey } from '../events/identity.ts';
import { clip, clipCommand } from '../events/log.ts';
import type { CommandEntry } from '../events/types.ts';
import type { Target } from '../targets/target.ts';
import { type JournalEntry, note } from './journal.ts';

/** The most that is kept of one write, in characters. */
const MOST_OF_WRITE = 64 * 1024;
/** The most that is recorded of one attempt, in characters: a test may print forever. */
const MOST_OF_ATTEMPT = 8 * 2 ** 20;

/** The running test, to attribute output and commands to it. */
interface Running {
  readonly context: AsyncLocalStorage<TestName>;
  /** Unfinished attempts, and the number of characters recorded of each. */
  readonly open: Map<string, { readonly test: TestName; chars: number }>;
  /** The running file, and the number of characters recorded of its hooks. */
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

/** Attributes output of hooks to this file from now on. */
export function beginFile(file: string): void {
  Object.assign(running(), { file, fileChars: 0 });
}

export function beginAttempt(test: TestName): void {
  running().open.set(testKey(test), { test, chars: 0 });
}

export function endAttempt(test: TestName): void {
  running().open.delete(testKey(test));
}

/** Runs the body of a test: its actions are attributed to it even if others run concurrently. */
export function inTest<T>(test: TestName, body: () => T): T {
  return running().context.run(test, body);
}

/** Writes an entry to the journal, before anything else can happen. */
function noteEntry(entry: JournalEntry, chars: number): void {
  const { context, open, file } = running();
  const own = context.getStore();
  // A hook before or after a test counts as part of it while no other runs.
  const sole = open.size === 1 ? [...open.values()][0] : undefined;
  const of = (own && open.get(testKey(own))) ?? (own === undefined ? sole : undefined);
  const before = of ? of.chars : running().fileChars;
  if (before > MOST_OF_ATTEMPT) return;
  if (of) of.chars += chars;
  else running().fileChars += chars;
  note(inject('harness').journal, of ? { of: of.test, entry } : { file, entry });
}

/** Records everything that this process prints, and prints it. Call it once per process. */
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
 * A machine whose commands are recorded, each when it has ended.
 * @param node its name in a cluster.
 */
export function recorded(target: Target, node?: string): Target {
  return {
    ...target,
    async exec(argv, options) {
      const at = Date.now();
      const started = performance.now();
      const say = (end: Pick<CommandEntry, 'exitCode' | 'error'> & { stdout: string; stderr: string }) => {
        // Measurements must not wait for our disk.
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
