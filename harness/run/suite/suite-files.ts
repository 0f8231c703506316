import { glob } from 'node:fs/promises';
import type { Suite } from '../../config/suite.ts';
import { SUITE_FILES } from '../../scenario/context.ts';

/** Whether a suite has scenarios or benchmarks: without, it is spared a process that would look for them. */
export async function hasFiles(suite: Suite, step: keyof typeof SUITE_FILES): Promise<boolean> {
  // A command line's folder is the project's, whose suites are none of this one.
  if (suite.commandLine) return false;
  for await (const _ of glob(SUITE_FILES[step], { cwd: suite.folder, exclude: ['**/node_modules/**'] })) return true;
  return false;
}
