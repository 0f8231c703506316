import type { RunResult, TestResult } from './result.ts';
import { mostTelling, type Verdict, verdicts } from './verdicts.ts';

/** The facts about a cell that decide a run. */
export interface DecidedCell {
  readonly voting: boolean;
  /** Its failures are in quarantine. */
  readonly excused?: true;
  readonly verdict: Verdict;
  readonly tests: readonly Pick<TestResult, 'verdict'>[];
}

export type RunExitCode = 0 | 1 | 3 | 4 | 130;

/**
 * The exit code of a run, the one place that decides it: 130 interrupted · 1 a voting cell failed · 3 a voting cell
 * ended by infrastructure or emulator · 4 a voting cell is incomplete, or no test was executed at all · 0 otherwise.
 * The first that applies wins. Cells that are unsupported or skipped do not fail a run in which something ran.
 */
export function decide(cells: readonly DecidedCell[], run: { readonly interrupted: boolean }): RunExitCode {
  if (run.interrupted) return 130;
  const worst = mostTelling(cells.filter((cell) => cell.voting && !cell.excused).map((cell) => cell.verdict));
  const exit = worst === undefined ? 0 : verdicts[worst].exit;
  return exit === 0 && !cells.some(executedSomething) ? 4 : exit;
}

/** The meaning of a run's exit code, in one word. */
export function stateOf(exitCode: number): RunResult['state'] {
  if (exitCode === 0) return 'passed';
  if (exitCode === 130) return 'interrupted';
  if (exitCode === 3) return 'infra';
  return exitCode === 4 ? 'incomplete' : 'failed';
}

function executedSomething(cell: DecidedCell): boolean {
  return cell.tests.some(({ verdict }) => verdicts[verdict].ran);
}
