import { cellName, parseCellName } from '../../base/cell-name.ts';
import { InfraError } from '../../base/errors.ts';
import { formatDuration } from '../../base/text.ts';
import type { Matrix } from '../../config/suite.ts';
import { testKey } from '../../events/identity.ts';
import type { CellResult, TestResult } from '../../events/result.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { RunContext } from '../cell/context.ts';
import { tryAgain } from './try-again.ts';
import { unitsOf } from './units.ts';

/**
 * Finds out whose fault a failure is, for each failed test that is not on the control architecture: runs it again where
 * it failed and, if it fails again, on the control architecture, unless the run already has its result there. Call this
 * when all cells have ended. Results are written as events; no verdict changes.
 */
export async function runControlLeg(cells: readonly Cell[], run: RunContext): Promise<void> {
  const limitMs = run.matrix.limits['control-minutes'] * 60_000;
  if (run.choices.control === false || limitMs === 0 || run.signal.aborted) return;
  // With --bail, the user does not want to wait for more.
  if (run.bail.tests.aborted) return;
  const results = run.open.fold.cells();
  const doubtful = cells.filter((cell) => doubtsOf(results, cell, run.matrix).length > 0);
  if (doubtful.length === 0) return;
  const late = new AbortController();
  const giveUp = () =>
    late.abort(new InfraError(`there was no time left: ${formatDuration(limitMs)} (limits.control-minutes)`));
  const timer = setTimeout(giveUp, limitMs);
  const signal = AbortSignal.any([run.signal, late.signal]);
  try {
    for (const cell of doubtful) {
      if (run.signal.aborted) return;
      const doubts = doubtsOf(results, cell, run.matrix);
      const options = { run, of: cell.name, signal };
      const here = await tryAgain(cell, unitsOf(doubts), { ...options, place: 'here' });
      // A test that passes now is flaky, and a machine that dies is the cause: neither needs the control leg.
      const again = new Set(
        here.filter(({ verdict }) => verdict === 'failed' || verdict === 'unknown').map((test) => testKey(test)),
      );
      const open = doubts.filter(
        (test) => again.has(testKey(test)) && !isKnown(controlOf(results, cell, run.matrix), test),
      );
      const leg = controlLegOf(cell, run.matrix);
      if (open.length > 0 && leg !== undefined) await tryAgain(leg, unitsOf(open), { ...options, place: 'there' });
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The failed tests of a cell whose cause is not known yet. */
function doubtsOf(results: readonly CellResult[], { name, arch }: Cell, { control }: Matrix): TestResult[] {
  if (arch === control) return [];
  const result = results.find((one) => one.name === name);
  // If the machine died or ran out of something, that is already the cell's verdict.
  if (result?.verdict !== 'failed') return [];
  return result.tests.filter(({ verdict }) => verdict === 'failed');
}

/** The run's result for the same cell on the control architecture. */
function controlOf(results: readonly CellResult[], cell: Cell, { control }: Matrix): CellResult | undefined {
  const release = parseCellName(cell.name)?.release;
  return results.find(
    (one) =>
      one.arch === control && one.target === cell.target && one.suite === cell.suite.name && one.release === release,
  );
}

/** Whether a cell has a conclusive result for a test. */
function isKnown(control: CellResult | undefined, test: TestResult): boolean {
  const same = control?.tests.filter((one) => testKey(one) === testKey(test)) ?? [];
  return same.some(({ verdict }) => verdict === 'passed' || verdict === 'failed' || verdict === 'flaky');
}

/** The same cell on the control architecture; undefined if the suite does not support it. */
export function controlLegOf(cell: Cell, { control }: Pick<Matrix, 'control'>): Cell | undefined {
  const { suite, target, release } = cell;
  if (suite.arch !== undefined && !suite.arch.includes(control)) return undefined;
  const named = parseCellName(cell.name)?.release;
  const name = cellName({ arch: control, target, suite: suite.name, release: named });
  return { name, arch: control, target, suite, release, voting: false };
}
