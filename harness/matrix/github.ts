import { ConfigError } from '../base/errors.ts';
import { type CellJob, type JobOptions, jobsOf } from './jobs.ts';

/** Most entries of a `strategy.matrix`; GitHub refuses more. */
export const MAX_ENTRIES = 256;

/** The `strategy.matrix` of a plan job. @throws ConfigError where GitHub would refuse it. */
export function githubMatrix<T extends { readonly name: string; readonly arch: string }>(
  cells: readonly T[],
  options: JobOptions<T>,
): { readonly include: readonly CellJob[] } {
  const include = jobsOf(cells, options);
  if (include.length > MAX_ENTRIES)
    throw new ConfigError(`cannot make a GitHub matrix of ${include.length} jobs: it may have at most ${MAX_ENTRIES}`, {
      hint: '--shards 64 makes jobs of several cells each.',
    });
  return { include };
}
