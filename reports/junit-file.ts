import type { CellResult, TestResult } from '../harness/events/result.ts';
import { inRepository } from './words.ts';

/**
 * The file, from the repository's root, to open for a test or a failure outside of tests; the suite's own if nothing
 * closer is known, and undefined for a suite from elsewhere.
 */
export function fileOf(
  cell: Pick<CellResult, 'folder'>,
  test?: Pick<TestResult, 'step' | 'file' | 'line' | 'place'>,
): { readonly file: string; readonly line?: number } | undefined {
  if (test?.place) return test.place;
  // A command's tests are listed under the command, which is not a file.
  const own = test && test.step !== 'tests' ? inRepository(cell, test.file) : undefined;
  if (own !== undefined) return { file: own, ...(test?.line ? { line: test.line } : {}) };
  const suite = inRepository(cell, 'suite.yaml');
  return suite === undefined ? undefined : { file: suite };
}
