import { ConfigError } from '../base/errors.ts';
import { loadSuite } from './load-suite.ts';
import { didYouMean, expectedOneOf } from './nearest.ts';
import { findSuite, listSuites } from './project.ts';
import { quote } from './quote.ts';
import type { Matrix, Suite } from './suite.ts';
import { openYaml, type Problem } from './yaml-source.ts';

/**
 * Loads every suite that a matrix names, from the first of `folders` that has it.
 * @throws ConfigError for unknown suites, at their place in the matrix; and for the problems of all suites at once.
 */
export async function loadSuites(
  matrix: Matrix,
  folders: readonly string[],
  cwd: string = process.cwd(),
): Promise<Map<string, Suite>> {
  const places = new Map<string, string>();
  const unknown: Problem[] = [];
  const known = await listSuites(folders);
  for (const { name, path } of suiteNames(matrix)) {
    const folder = await findSuite(name, folders);
    if (folder) places.set(name, folder);
    else
      unknown.push({ path, text: `unknown suite ${quote(name)}, ${expectedOneOf(known)}${didYouMean(name, known)}` });
  }
  if (unknown.length > 0) {
    if (matrix.file === undefined) throw new ConfigError(unknown.map((problem) => problem.text).join('\n'));
    throw (await openYaml(matrix.file, cwd)).error(unknown);
  }
  const loaded = await Promise.allSettled([...places.values()].map((folder) => loadSuite(folder, cwd)));
  const failures = loaded.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const other = failures.find((error) => !(error instanceof ConfigError));
  if (other !== undefined) throw other;
  if (failures.length > 0) throw new ConfigError(failures.map((error) => (error as Error).message).join('\n'));
  return new Map(
    loaded.flatMap((result) => (result.status === 'fulfilled' ? [[result.value.name, result.value]] : [])),
  );
}

/** Each place in a matrix that names a suite. */
function suiteNames(matrix: Matrix): { name: string; path: PropertyKey[] }[] {
  return [
    ...matrix.suite.map((name, index) => ({ name, path: ['suite', index] })),
    ...matrix.include.map(({ suite }, index) => ({ name: suite, path: ['include', index, 'suite'] })),
  ];
}
