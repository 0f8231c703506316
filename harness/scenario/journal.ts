import { appendFileSync, readFileSync } from 'node:fs';
import { type TestName, testKey } from '../events/identity.ts';
import type { Attempt, ErrorData } from '../events/types.ts';

/** A line of a suite's journal. */
export type JournalLine =
  /** An attempt of a test begins. */
  | { readonly begun: TestName }
  /** It has ended. */
  | { readonly ended: TestName; readonly attempt: Attempt }
  /** The test has left itself out. */
  | { readonly ended: TestName; readonly skipped: string }
  /** The body of a test or a hook begins, which vitest ends after some milliseconds; null: never. */
  | { readonly phase: string; readonly atMs: number; readonly allowedMs: number | null }
  /** Something was thrown that nobody caught. */
  | { readonly unhandled: ErrorData };

/** What a journal says of a test. */
export interface JournalTest extends TestName {
  /** Those that ended. */
  readonly attempts: readonly Attempt[];
  /** Whether another one had begun. */
  readonly running: boolean;
  /** Why it left itself out. */
  readonly skipped?: string;
}

export interface Journal {
  /** In the order in which they began. */
  readonly tests: readonly JournalTest[];
  readonly unhandled: readonly ErrorData[];
  /** The last phase that began. */
  readonly phase?: Extract<JournalLine, { phase: string }>;
}

/**
 * Notes what a test has come to, at once. vitest reports in batches, a tenth of a second apart: what a test process knew
 * when it began to spin, or was killed, is only here.
 */
export function note(journal: string, line: JournalLine): void {
  appendFileSync(journal, `${JSON.stringify(line)}\n`);
}

/** Milliseconds by a clock that all processes of this host share, and that nobody sets. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** What a journal says until now; nothing where there is none. */
export function readJournal(journal: string): Journal {
  let text = '';
  try {
    text = readFileSync(journal, 'utf8');
  } catch {
    return { tests: [], unhandled: [] };
  }
  const tests = new Map<string, JournalTest>();
  const unhandled: ErrorData[] = [];
  let phase: Journal['phase'];
  for (const written of text.split('\n').slice(0, -1)) {
    const line = JSON.parse(written) as JournalLine;
    if ('phase' in line) phase = line;
    else if ('unhandled' in line) unhandled.push(line.unhandled);
    else {
      const name = 'begun' in line ? line.begun : line.ended;
      const { attempts } = tests.get(testKey(name)) ?? { attempts: [] };
      const now = { ...name, running: 'begun' in line };
      tests.set(testKey(name), {
        ...now,
        attempts: 'attempt' in line ? [...attempts, line.attempt] : attempts,
        ...('skipped' in line ? { skipped: line.skipped } : {}),
      });
    }
  }
  return { tests: [...tests.values()], unhandled, ...(phase ? { phase } : {}) };
}
