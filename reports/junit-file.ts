import type { CellResult, TestResult } from '../harness/events/result.ts';
import { inRepository } from './words.ts';

/**
 * The file, from the repository's root, that a reader is to open for a test or for what went wrong outside of tests; the
 * suite's own where nothing nearer is known, and undefined for a suite that is from elsewhere.
 */
export function fileOf(
  cell: Pick<CellResult, 'folder'>,
  test?: Pick<TestResult, 'step' | 'file' | 'line' | 'place'>,
): { readonly file: string; readonly line?: number } | undefined {
  if (test?.place) return test.place;
  // What a command's tests are listed under is the command, not a file.
  const own = test && test.step !== 'tests' ? inRepository(cell, test.file) : undefined;
  if (own !== undefined) return { file: own, ...(test?.line ? { line: test.line } : {}) };
  const suite = inRepository(cell, 'suite.yaml');
  return suite === undefined ? undefined : { file: suite };
}
