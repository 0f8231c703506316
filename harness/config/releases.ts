import { DEFAULT_RELEASE, type ReleaseName } from '../releases/index.ts';
import type { Matrix } from './suite.ts';

/** The Debian releases whose cells a matrix makes, in the order in which it names them. */
export function releasesOf({ release, images }: Pick<Matrix, 'release' | 'images'>): readonly ReleaseName[] {
  return [...new Set([release ?? images.release ?? DEFAULT_RELEASE].flat())];
}

/**
 * A matrix with the releases of a command line. Of several that the matrix names those that were asked for are left; of
 * one that it does not name, everything is made of what was asked for.
 */
export function withReleases(matrix: Matrix, wanted: readonly ReleaseName[]): Matrix {
  const own = new Set([...releasesOf(matrix), ...matrix.include.map(({ release }) => release)]);
  // What the matrix names is for the filter to choose: a cell's name is the same however many of them run.
  if (wanted.every((release) => own.has(release))) return matrix;
  const { release: _, ...images } = matrix.images;
  return {
    ...matrix,
    images,
    release: [...wanted],
    exclude: matrix.exclude.filter(({ release }) => release === undefined),
  };
}
