import { DEFAULT_RELEASE, type ReleaseName } from '../releases/index.ts';
import type { Matrix } from './suite.ts';

/** The Debian releases of a matrix, in the order in which it names them. */
export function releasesOf({ release, images }: Pick<Matrix, 'release' | 'images'>): readonly ReleaseName[] {
  return [...new Set([release ?? images.release ?? DEFAULT_RELEASE].flat())];
}

/**
 * Applies the releases of a command line to a matrix: those that the matrix names are selected; one that it does not
 * name replaces them.
 */
export function withReleases(matrix: Matrix, wanted: readonly ReleaseName[]): Matrix {
  const own = new Set([...releasesOf(matrix), ...matrix.include.map(({ release }) => release)]);
  // The filter selects among the matrix's own releases: a cell's name does not depend on how many of them run.
  if (wanted.every((release) => own.has(release))) return matrix;
  const { release: _, ...images } = matrix.images;
  return {
    ...matrix,
    images,
    release: [...wanted],
    exclude: matrix.exclude.filter(({ release }) => release === undefined),
  };
}
