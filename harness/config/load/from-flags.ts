import { usualArchs } from '../../arch/index.ts';
import { ConfigError } from '../../base/errors.ts';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import { splitList } from '../../base/split-list.ts';
import { yamlFile } from '../../yaml/yaml-file.ts';
import { matrixSchema } from '../schema/matrix.ts';
import type { Matrix } from '../suite.ts';
import { loadMatrix } from './matrix.ts';
import { listMatrices, listSuites, type Project } from './project.ts';

/** Filters that apply if no matrix was named; each may hold comma-separated lists. */
export interface MatrixFlags {
  readonly arch?: readonly string[] | undefined;
  readonly target?: readonly string[] | undefined;
  readonly suite?: readonly string[] | undefined;
}

export interface FlagPlaces {
  readonly cwd?: string;
  /** Suites that come with the package: for names that the project does not have. */
  readonly bundledSuites?: string;
}

/**
 * The matrix of a command line that names none: the project's `quickstart`, or its only one, if it has the requested
 * suites; else the requested suites, or all of the project, on the default architectures. The caller still applies the
 * filters.
 * @throws ConfigError for an unknown suite, or if there is none.
 */
export async function matrixFromFlags(flags: MatrixFlags, project: Project, places: FlagPlaces = {}): Promise<Matrix> {
  const { cwd = process.cwd(), bundledSuites } = places;
  const wanted = splitList(flags.suite);
  const usual = await usualMatrix(project, cwd);
  if (usual !== undefined) {
    const matrix = await loadMatrix(usual, cwd);
    const held = new Set([...matrix.suite, ...matrix.include.map((cell) => cell.suite)]);
    if (wanted.every((name) => held.has(name))) return matrix;
  }
  const known = await listSuites([project.suites, ...(bundledSuites === undefined ? [] : [bundledSuites])]);
  for (const name of wanted) {
    if (!known.includes(name)) {
      throw new ConfigError(`unknown suite ${quote(name)}, ${expectedOneOf(known)}${didYouMean(name, known)}`);
    }
  }
  const suites = wanted.length > 0 ? [...new Set(wanted)] : await listSuites([project.suites]);
  if (suites.length === 0) {
    throw new ConfigError('no matrix was named, and the project has no suites', {
      hint: 'harness init writes a first matrix and suite',
    });
  }
  return matrixOf(suites);
}

/** A matrix of suites on the default architectures, as for a command line. */
export function matrixOf(suites: readonly string[]): Matrix {
  return { ...matrixSchema.parse({ arch: [...usualArchs], suite: suites }), name: 'command-line' };
}

/** The file of the default matrix; undefined if several are possible. */
async function usualMatrix(project: Project, cwd: string): Promise<string | undefined> {
  const names = await listMatrices(project.matrices);
  const name = names.includes('quickstart') ? 'quickstart' : names.length === 1 ? names[0] : undefined;
  return name && yamlFile(project.matrices, name, cwd);
}
