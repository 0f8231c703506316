import { appendFileSync, readFileSync } from 'node:fs';
import type { Attempt } from '../events/types.ts';

/** A line of a suite's journal. */
export interface JournalLine {
  readonly name: string;
  readonly file: string;
  /** What it came to; absent: it has begun. */
  readonly attempt?: Attempt;
}

/**
 * Notes what a test has come to, at once. vitest reports in batches, a tenth of a second apart: what a test process knew
 * when it began to spin, or was killed, is only here.
 */
export function note(journal: string, line: JournalLine): void {
  appendFileSync(journal, `${JSON.stringify(line)}\n`);
}

/** The last line of each test in a journal, in the order in which they began. */
export function readJournal(journal: string): JournalLine[] {
  let text = '';
  try {
    text = readFileSync(journal, 'utf8');
  } catch {
    return [];
  }
  const latest = new Map<string, JournalLine>();
  for (const written of text.split('\n').slice(0, -1)) {
    const line = JSON.parse(written) as JournalLine;
    latest.set(`${line.file} > ${line.name}`, line);
  }
  return [...latest.values()];
}
