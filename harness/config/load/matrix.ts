import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import { readYaml } from '../../yaml/yaml.ts';
import { yamlFile, yamlName } from '../../yaml/yaml-file.ts';
import { matrixSchema } from '../schema/matrix.ts';
import type { Matrix } from '../suite.ts';
import { listMatrices, type Project } from './project.ts';
import { strayFiles } from './stray.ts';

/**
 * Reads a matrix, without its suites: see `loadSuites`.
 * @throws ConfigError with all problems, see `readYaml`.
 */
export async function loadMatrix(file: string, cwd: string = process.cwd()): Promise<Matrix> {
  const place = resolve(cwd, file);
  const { data } = await readYaml(place, matrixSchema, cwd);
  return { ...data, name: data.name ?? yamlName(basename(place)) ?? basename(place), file: place };
}

export interface MatrixPlaces {
  /** Relative paths are looked up here first, then in the project's root. */
  readonly cwd?: string;
  /** Matrices of the package, used for names that the project does not have. */
  readonly bundled?: string;
}

/**
 * The absolute path of a matrix that a user named: `quickstart`, `matrices/quickstart.yaml` or an absolute path.
 * @throws ConfigError that lists the existing matrices.
 */
export async function resolveMatrixFile(
  nameOrPath: string,
  project: Project,
  places: MatrixPlaces = {},
): Promise<string> {
  const { cwd = process.cwd(), bundled } = places;
  const folders = [project.matrices, ...(bundled === undefined ? [] : [bundled])];
  const isPath = /[/\\]|\.ya?ml$/.test(nameOrPath);
  const candidates = isPath
    ? [
        resolve(cwd, nameOrPath),
        resolve(project.root, nameOrPath),
        ...folders.map((folder) => resolve(folder, nameOrPath)),
      ]
    : await Promise.all(folders.map((folder) => yamlFile(folder, nameOrPath, cwd)));
  for (const file of candidates) {
    if (nameOrPath !== '' && file !== undefined && (await stat(file).catch(() => undefined))?.isFile()) return file;
  }
  const names = [...new Set((await Promise.all(folders.map(listMatrices))).flat())].sort();
  const word = yamlName(basename(nameOrPath)) ?? basename(nameOrPath);
  throw new ConfigError(`unknown matrix ${quote(nameOrPath)}, ${expectedOneOf(names)}${didYouMean(word, names)}`, {
    hint:
      (await strayFiles(project, cwd)).find((stray) => stray.includes(`/${word}`)) ??
      (names.length === 0
        ? 'harness init writes a first matrix and suite'
        : 'a matrix is a file in matrices/, or any path'),
  });
}
