import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { type TestName, testKey } from '../events/identity.ts';
import { bounded } from '../events/log.ts';
import type { Attempt, CommandEntry, ErrorData, LogEntry, PrintedEntry } from '../events/types.ts';

/** A line of a suite's journal. Times are milliseconds since the epoch. */
export type JournalLine =
  /** An attempt of a test begins. */
  | { readonly begun: TestName; readonly at: number }
  /** An attempt has ended. */
  | { readonly ended: TestName; readonly attempt: Attempt }
  /** The test has skipped itself. */
  | { readonly ended: TestName; readonly skipped: string }
  /** The body of a test or a hook begins, with its timeout in milliseconds; null: none. */
  | { readonly phase: string; readonly atMs: number; readonly allowedMs: number | null }
  /** Output, or a command on a machine, of an attempt of a test. */
  | { readonly of: TestName; readonly entry: JournalEntry }
  /** The same of a hook of a file, while no test ran. */
  | { readonly file: string; readonly entry: JournalEntry }
  /** An uncaught error. */
  | { readonly unhandled: ErrorData };

/** An entry whose attempt may not have begun: it has the time of the clock. */
export type JournalEntry =
  | (Omit<PrintedEntry, 'atMs'> & { readonly at: number })
  | (Omit<CommandEntry, 'atMs'> & { readonly at: number });

/** A test in a journal. */
export interface JournalTest extends TestName {
  /** Those that ended. */
  readonly attempts: readonly Attempt[];
  /** The attempt that has begun and not ended. */
  readonly running?: Pick<Attempt, 'startedAt' | 'log'>;
  /** Why it skipped itself. */
  readonly skipped?: string;
}

export interface Journal {
  /** In the order in which they began. */
  readonly tests: readonly JournalTest[];
  readonly unhandled: readonly ErrorData[];
  /** The last phase that began. */
  readonly phase?: Extract<JournalLine, { phase: string }>;
  /** Actions of each file's hooks after its last test. */
  readonly hooks: ReadonlyMap<string, readonly LogEntry[]>;
}

/**
 * Records a test's progress at once. vitest reports in batches, a tenth of a second apart: the last state of a process
 * that spins or is killed is only here.
 */
export function note(journal: string, line: JournalLine): void {
  appendFileSync(journal, `${JSON.stringify(line)}\n`);
}

/** Milliseconds of a clock that all processes of this host share, and that is never set. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** What a journal says until now; nothing where there is none. */
export function readJournal(journal: string): Journal {
  return new JournalReader(journal).read();
}

interface OpenTest {
  readonly name: TestName;
  readonly attempts: Attempt[];
  running?: { readonly at: number; readonly entries: JournalEntry[] };
  skipped?: string;
}

/** How much of a journal is read at once, in bytes. */
const CHUNK = 1024 * 1024;

/** Reads a journal that grows; each line once. */
export class JournalReader {
  readonly #journal: string;
  readonly #decoder = new StringDecoder('utf8');
  readonly #tests = new Map<string, OpenTest>();
  readonly #unhandled: ErrorData[] = [];
  /** Actions of hooks since the last attempt of their file began or ended. */
  readonly #hooks = new Map<string, JournalEntry[]>();
  #phase: Journal['phase'];
  #offset = 0;
  #rest = '';

  constructor(journal: string) {
    this.#journal = journal;
  }

  /** What the journal says until now; nothing where there is none. */
  read(): Journal {
    this.#update();
    const tests = [...this.#tests.values()].map(
      ({ name, attempts, running, skipped }): JournalTest => ({
        ...name,
        attempts,
        ...(running ? { running: { startedAt: iso(running.at), ...logOf(running.entries, running.at) } } : {}),
        ...(skipped === undefined ? {} : { skipped }),
      }),
    );
    const hooks = [...this.#hooks].flatMap(([file, entries]): [string, readonly LogEntry[]][] => {
      const [first] = entries;
      return first ? [[file, logOf(entries, first.at).log ?? []]] : [];
    });
    const phase = this.#phase;
    return { tests, unhandled: [...this.#unhandled], hooks: new Map(hooks), ...(phase ? { phase } : {}) };
  }

  /** The attempts of a test that ended. */
  attemptsOf(test: TestName): readonly Attempt[] {
    this.#update();
    return this.#tests.get(testKey(test))?.attempts ?? [];
  }

  #update(): void {
    for (const line of this.#newLines()) this.#add(JSON.parse(line) as JournalLine);
  }

  #add(line: JournalLine): void {
    if ('phase' in line) this.#phase = line;
    else if ('unhandled' in line) this.#unhandled.push(line.unhandled);
    else if ('of' in line) this.#testOf(line.of).running?.entries.push(line.entry);
    else if ('entry' in line) this.#hooksOf(line.file).push(line.entry);
    else if ('begun' in line) {
      // Earlier actions of the file's hooks explain the state of its machine.
      const entries = this.#hooksOf(line.begun.file).splice(0);
      this.#testOf(line.begun).running = { at: line.at, entries };
    } else {
      const test = this.#testOf(line.ended);
      const { running } = test;
      delete test.running;
      if ('skipped' in line) test.skipped = line.skipped;
      else
        test.attempts.push({
          ...line.attempt,
          ...(running ? { startedAt: iso(running.at), ...logOf(running.entries, running.at) } : {}),
        });
    }
  }

  #testOf(name: TestName): OpenTest {
    const key = testKey(name);
    const test = this.#tests.get(key) ?? { name, attempts: [] };
    this.#tests.set(key, test);
    return test;
  }

  #hooksOf(file: string): JournalEntry[] {
    const entries = this.#hooks.get(file) ?? [];
    this.#hooks.set(file, entries);
    return entries;
  }

  /** Whole lines since the last time. */
  *#newLines(): Generator<string> {
    let descriptor: number;
    try {
      descriptor = openSync(this.#journal, 'r');
    } catch {
      return;
    }
    try {
      const buffer = Buffer.allocUnsafe(CHUNK);
      for (;;) {
        const read = readSync(descriptor, buffer, 0, CHUNK, this.#offset);
        if (read === 0) return;
        this.#offset += read;
        const lines = (this.#rest + this.#decoder.write(buffer.subarray(0, read))).split('\n');
        this.#rest = lines.pop() ?? '';
        yield* lines;
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** Entries by the time since an attempt began. */
function logOf(entries: readonly JournalEntry[], begunAt: number): Pick<Attempt, 'log'> {
  if (entries.length === 0) return {};
  return { log: bounded(entries.map(({ at, ...entry }): LogEntry => ({ ...entry, atMs: at - begunAt }))) };
}
