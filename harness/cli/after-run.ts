import { reportWarning } from './failure.ts';

/**
 * Does the work after a run: reports, the job's summary, the history. Each step is done regardless of earlier ones, and
 * a failing step is a warning: the cells have decided the exit code.
 * @returns whether every step succeeded.
 */
export async function afterRun(...steps: readonly (() => unknown)[]): Promise<boolean> {
  let all = true;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      all = false;
      reportWarning(error);
    }
  }
  return all;
}
