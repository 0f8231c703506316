import { ConfigError } from '../../base/errors.ts';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import { openYaml, type Problem } from '../../yaml/yaml-source.ts';
import { suiteSchema } from '../schema/suite.ts';
import type { Matrix, Suite } from '../suite.ts';
import { findSuite, listSuites } from './project.ts';
import { loadSuite } from './suite.ts';

/** The suites that a matrix names. */
export interface LoadedSuites {
  /** All of them; one with a mistake is empty, so that a matrix can be expanded. */
  readonly suites: ReadonlyMap<string, Suite>;
  /** The mistakes of suites by name: their cells cannot run. */
  readonly broken: ReadonlyMap<string, ConfigError>;
}

/**
 * Loads every suite that a matrix names, from the first of `folders` that has it.
 * @throws ConfigError for unknown suites, at their place in the matrix; and for the problems of all suites at once.
 */
export async function loadSuites(
  matrix: Matrix,
  folders: readonly string[],
  cwd: string = process.cwd(),
): Promise<ReadonlyMap<string, Suite>> {
  const read = await readSuites(matrix, folders, cwd);
  mustBeWhole(read.suites.keys(), read);
  return read.suites;
}

/**
 * Like {@link loadSuites}, but a suite with a mistake is an error only for runs that use it.
 * @throws ConfigError for unknown suites, at their place in the matrix.
 */
export async function readSuites(
  matrix: Matrix,
  folders: readonly string[],
  cwd: string = process.cwd(),
): Promise<LoadedSuites> {
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
  const broken = new Map<string, ConfigError>();
  const loaded = await Promise.all(
    [...places].map(async ([name, folder]): Promise<[string, Suite]> => {
      try {
        return [name, await loadSuite(folder, cwd)];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        broken.set(name, error);
        return [name, { ...suiteSchema.parse({}), name, folder }];
      }
    }),
  );
  // In the order of the matrix, not of reading.
  return { suites: new Map(loaded), broken };
}

/** @throws ConfigError with all mistakes of some suites of a matrix, if there are any. */
export function mustBeWhole(names: Iterable<string>, { broken }: LoadedSuites): void {
  const errors = [...new Set(names)].flatMap((name) => broken.get(name) ?? []);
  const [error] = errors;
  if (error === undefined) return;
  if (errors.length === 1) throw error;
  throw new ConfigError(errors.map(({ message }) => message).join('\n'), { cause: error });
}

/** Each place in a matrix that names a suite. */
function suiteNames(matrix: Matrix): { name: string; path: PropertyKey[] }[] {
  return [
    ...matrix.suite.map((name, index) => ({ name, path: ['suite', index] })),
    ...matrix.include.map(({ suite }, index) => ({ name: suite, path: ['include', index, 'suite'] })),
  ];
}
