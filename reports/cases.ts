import { createHash } from 'node:crypto';
import { distinctNames } from '../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import { type CaseOutcome, outcomeOfTest, outcomesOfHarness } from './junit-cases.ts';
import { visible } from './text.ts';

/** A test, or a failure outside of tests, for formats that list tests. */
export interface Case {
  readonly cell: CellResult;
  /** Absent: it is about the cell itself. */
  readonly test?: TestResult;
  readonly outcome: CaseOutcome;
  /** Unique in the run: `arm64/vm/web › pages.scenario.ts › serves a page`. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly stopMs: number;
}

/** Every case of a run, cell by cell. @param folder the run's, from the repository's root. */
export function casesOf(run: RunResult, folder: string): Case[] {
  const cases = run.cells.flatMap((cell) => {
    const at = (startedAt: string | undefined) => Date.parse(startedAt ?? cell.startedAt ?? run.startedAt);
    const tests = cell.tests.map((test): Omit<Case, 'id' | 'stopMs'> => {
      return { cell, test, outcome: outcomeOfTest(test, cell, folder), startMs: at(test.startedAt) };
    });
    const others = outcomesOfHarness(cell, folder).map((outcome): Omit<Case, 'id' | 'stopMs'> => {
      const step = cell.steps.find((one) => one.step === outcome.name);
      return { cell, outcome, startMs: at(step?.startedAt) };
    });
    return [...tests, ...others].map((one) => ({ ...one, stopMs: one.startMs + Math.round(one.outcome.durationMs) }));
  });
  const ids = distinctNames(cases, [
    ({ cell, test, outcome }) => [cell.name, test?.file ?? 'harness', outcome.name].map(visible).join(' › '),
  ]);
  return cases.map((one, index) => ({ ...one, id: ids[index]! }));
}

/** A UUID derived from a text, the same everywhere. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  // Version 8 of RFC 9562: made as its author sees fit.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
