import { newestRuns } from '../../../reports/since.ts';

/** Runs that are looked at: the newest may have had a part of the matrix. */
const RUNS = 3;

/**
 * How long the cells of a matrix took when they last passed on this machine, in milliseconds, by their names.
 * @param runs the project's folder of runs.
 */
export async function expectedDurations(runs: string, matrix: string): Promise<ReadonlyMap<string, number>> {
  const found = await newestRuns(runs, { matrix, limit: RUNS });
  // The oldest first, so that a newer run has the last word.
  return new Map(
    found
      .toReversed()
      .flatMap(({ cells }) => cells.filter(({ verdict }) => verdict === 'passed' || verdict === 'flaky'))
      .map(({ name, durationMs }) => [name, durationMs]),
  );
}
