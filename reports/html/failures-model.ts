import { labelOf, testKey } from '../../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../../harness/events/result.ts';
import type { ErrorData } from '../../harness/events/types.ts';
import { isBad, type Verdict } from '../../harness/events/verdicts.ts';
import { errorsOf } from '../words.ts';
import { failureId } from './ids.ts';

/** Something that went wrong in a cell. */
export interface Failure {
  readonly id: string;
  readonly cell: CellResult;
  readonly verdict: Verdict;
  /** The test's name, or `step deploy`. */
  readonly what: string;
  readonly errors: readonly ErrorData[];
  readonly test?: TestResult;
  /** Tests that never ran: one failure for all of them, because a dead cell may leave a hundred. */
  readonly missing?: readonly TestResult[];
}

/** Failures with the same message: at least one. */
export type Group = readonly [Failure, ...Failure[]];

/** Failed steps and tests, and cells that ended badly without either. */
export function failuresOf({ cells }: Pick<RunResult, 'cells'>): Failure[] {
  return cells.flatMap((cell) => {
    const steps = cell.steps.flatMap(({ step, verdict, error }) =>
      error ? [failure(cell, verdict, `step ${step}`, [error])] : [],
    );
    const started = ({ verdict, startedAt }: TestResult) => verdict !== 'incomplete' || startedAt !== undefined;
    const tests = cell.tests.filter((test) => isBad(test) && started(test)).map((test) => ofTest(cell, test));
    const missing = cell.tests.filter((test) => !started(test));
    const what = `${missing.length} ${missing.length === 1 ? 'test' : 'tests'} never ran`;
    const never = missing.length > 0 ? [{ ...failure(cell, 'incomplete', what, []), id: neverId(cell), missing }] : [];
    const found = [...steps, ...tests, ...never];
    return found.length === 0 && isBad(cell) ? [failure(cell, cell.verdict, 'the cell itself', [])] : found;
  });
}

/** Tests that passed on a later attempt, with the messages of the others. */
export function flakyOf({ cells }: Pick<RunResult, 'cells'>): Failure[] {
  return cells.flatMap((cell) =>
    cell.tests.filter(({ verdict }) => verdict === 'flaky').map((test) => ofTest(cell, test)),
  );
}

/**
 * What went wrong on machines that were replaced by a fresh one: each attempt of a cell that another one followed. What never
 * ran on them was left to the next.
 */
export function replacedOf({ cells }: Pick<RunResult, 'cells'>): Failure[] {
  return cells.flatMap((cell) =>
    (cell.earlier ?? []).flatMap((attempt, index) => {
      const { enter: _enter, ...about } = cell;
      return failuresOf({ cells: [{ ...about, ...attempt }] })
        .filter(({ missing }) => missing === undefined)
        .map((failure) => ({
          ...failure,
          id: `${failure.id}-machine-${index + 1}`,
          what: `machine ${index + 1}: ${failure.what}`,
        }));
    }),
  );
}

/** The card of a test's result; undefined if there is none. */
export function failureOf(cell: CellResult, test: TestResult): string | undefined {
  if (test.verdict === 'incomplete' && test.startedAt === undefined) return neverId(cell);
  return isBad(test) || test.verdict === 'flaky' ? failureId(cell.name, testKey(test)) : undefined;
}

/**
 * Groups failures by message: those of voting cells first, then those that other architectures do not have. Numbers and
 * addresses in a message are ignored, because ports and times differ between any two machines.
 */
export function groupsOf(failures: readonly Failure[]): Group[] {
  const groups = [...Map.groupBy(failures, saying).values()] as [Failure, ...Failure[]][];
  const rank = (group: Group) =>
    (group.some(({ cell }) => cell.voting) ? 0 : 2) +
    (group.some(({ test }) => test?.control === 'passes-on-control') ? 0 : 1);
  return groups.toSorted((a, b) => rank(a) - rank(b));
}

function saying({ verdict, what, errors, test, missing, cell }: Failure): string {
  const [error] = errors;
  if (missing) return JSON.stringify(['missing', gist(cell.reason)]);
  if (!error) return JSON.stringify([verdict, test ? 'test' : what, gist(cell.reason)]);
  const place = test ? 'test' : what;
  return JSON.stringify([
    verdict,
    place,
    error.type,
    gist(error.message),
    gist(error.diff),
    gist(error.causes?.join()),
  ]);
}

function gist(text = ''): string {
  return text.replaceAll(/\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b/gi, '#').replaceAll(/\d+(?:\.\d+)?/g, '#');
}

function ofTest(cell: CellResult, test: TestResult): Failure {
  return {
    ...failure(cell, test.verdict, labelOf(test), errorsOf(test)),
    id: failureId(cell.name, testKey(test)),
    test,
  };
}

function failure(cell: CellResult, verdict: Verdict, what: string, errors: readonly ErrorData[]): Failure {
  return { id: failureId(cell.name, what), cell, verdict, what, errors };
}

function neverId(cell: CellResult): string {
  return failureId(cell.name, 'never ran');
}
