import { newestRuns } from '../../../reports/since.ts';

/** Number of runs to read: the newest may have had only a part of the matrix. */
const RUNS = 3;

/**
 * Durations of a matrix's cells when they last passed on this machine, in milliseconds, by name.
 * @param runs the project's folder of runs.
 */
export async function expectedDurations(runs: string, matrix: string): Promise<ReadonlyMap<string, number>> {
  const found = await newestRuns(runs, { matrix, limit: RUNS });
  // The oldest first, so that newer runs override.
  return new Map(
    found
      .toReversed()
      .flatMap(({ cells }) => cells.filter(({ verdict }) => verdict === 'passed' || verdict === 'flaky'))
      .map(({ name, durationMs }) => [name, durationMs]),
  );
}
