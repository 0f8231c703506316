import { glob } from 'node:fs/promises';
import type { Suite } from '../../config/suite.ts';
import { SUITE_FILES } from '../../scenario/context.ts';

/** Whether a suite has scenarios or benchmarks; if not, no process needs to be started for it. */
export async function hasFiles(suite: Suite, step: keyof typeof SUITE_FILES): Promise<boolean> {
  // The folder of a suite from the command line is the project; the suites in it are not part of it.
  if (suite.commandLine) return false;
  for await (const _ of glob(SUITE_FILES[step], { cwd: suite.folder, exclude: ['**/node_modules/**'] })) return true;
  return false;
}
