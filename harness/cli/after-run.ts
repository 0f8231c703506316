import { reportWarning } from './failure.ts';

/**
 * Does what follows the end of a run: reports, the job's summary, the history. Each step is taken whatever became of
 * those before it, and one that fails is a warning: the cells have decided the exit code.
 * @returns whether every step could be taken.
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
