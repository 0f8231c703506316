import { archNames, type CellArch } from '../../harness/arch/index.ts';
import { type TestName, testKey } from '../../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../../harness/events/result.ts';
import { isEmulated } from '../../harness/events/types.ts';
import { isBad, wentWrong } from '../../harness/events/verdicts.ts';
import { type Difference, differenceOf } from './difference.ts';
import { testId } from './ids.ts';

/** The cells of all architectures that have a suite, a kind of target and a release in common, and their tests. */
export interface Stack extends Pick<CellResult, 'suite' | 'target' | 'release'> {
  /** One for each architecture of the run, in the order of {@link archsOf}; undefined: not planned. */
  readonly cells: readonly (CellResult | undefined)[];
  /** In the order of the files. */
  readonly rows: readonly Row[];
}

/** A test across architectures. */
export interface Row extends TestName {
  readonly id: string;
  /** One for each architecture of the run. */
  readonly results: readonly (TestResult | undefined)[];
  readonly difference: Difference | undefined;
  readonly rank: Rank;
}

/** Rank of a row: what readers look for first has the lowest number. */
export const RANKS = { differs: 0, failed: 1, never: 2, flaky: 3, elsewhere: 4, same: 5 } as const;
export type Rank = (typeof RANKS)[keyof typeof RANKS];

/** The architectures of a run: known ones in order, then mixed clusters. */
export function archsOf({ cells }: Pick<RunResult, 'cells'>): CellArch[] {
  const known: readonly CellArch[] = archNames;
  const mixed = cells.map(({ arch }) => arch).filter((arch) => !known.includes(arch));
  return [...known.filter((arch) => cells.some((cell) => cell.arch === arch)), ...new Set(mixed)];
}

/** Every test of a run, in the order of the plan. */
export function stacksOf(run: Pick<RunResult, 'cells'>): Stack[] {
  const archs = archsOf(run);
  const groups = Map.groupBy(run.cells, ({ suite, target, release }) => JSON.stringify([suite, target, release]));
  return [...groups.values()].map((cells) => {
    const { suite, target, release } = cells[0]!;
    const byArch = archs.map((arch) => cells.find((cell) => cell.arch === arch));
    const stack = { suite, target, ...(release === undefined ? {} : { release }) };
    return { ...stack, cells: byArch, rows: rowsOf(stack, byArch, archs) };
  });
}

function rowsOf(
  stack: Pick<CellResult, 'suite' | 'target' | 'release'>,
  cells: readonly (CellResult | undefined)[],
  archs: readonly CellArch[],
): Row[] {
  const results = new Map<string, (TestResult | undefined)[]>();
  for (const [column, cell] of cells.entries())
    for (const test of cell?.tests ?? []) {
      const key = testKey(test);
      const row = results.get(key) ?? archs.map(() => undefined);
      row[column] = test;
      results.set(key, row);
    }
  // Times are compared if the same kind of machine took them.
  const emulated = cells.map((cell) => cell?.facts && isEmulated(cell.facts.accelerator));
  const tested = cells.map((cell) => (cell?.tests.length ?? 0) > 0);
  return [...results.values()].map((row) => {
    const { file, name, nth } = row.find((result) => result !== undefined)!;
    const test = { file, name, ...(nth === undefined ? {} : { nth }) };
    const difference = differenceOf(
      row.map((result, index) => ({ result, arch: archs[index]!, emulated: emulated[index], tested: tested[index]! })),
    );
    return { ...test, id: testId(stack, test), results: row, difference, rank: rankOf(row, difference) };
  });
}

function rankOf(results: readonly (TestResult | undefined)[], difference: Difference | undefined): Rank {
  const has = (is: (result: TestResult) => boolean) => results.some((result) => result && is(result));
  if (difference?.kind === 'verdict') return RANKS.differs;
  if (has(wentWrong)) return RANKS.failed;
  if (has(isBad)) return RANKS.never;
  if (has(({ verdict }) => verdict === 'flaky')) return RANKS.flaky;
  return difference?.kind === 'presence' ? RANKS.elsewhere : RANKS.same;
}
