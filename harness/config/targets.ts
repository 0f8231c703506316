import type { TargetKind } from '../targets/kinds.ts';
import type { Matrix } from './suite.ts';

/** Kinds of target in the order in which they are preferred. */
export type Preference = readonly [TargetKind, ...TargetKind[]];

/** The preferences of a matrix: a list is one preference, and `each` is a cell for every kind. */
export function preferencesOf({ target }: Pick<Matrix, 'target'>): readonly Preference[] {
  return 'each' in target ? target.each.map((kind) => [kind] as const) : [target as unknown as Preference];
}

/**
 * Applies the kinds of target of a command line to a matrix: kinds that the matrix names are selected; on one that it
 * does not name, everything runs.
 */
export function withTargets(matrix: Matrix, kinds: readonly TargetKind[]): Matrix {
  if (kinds.length === 0) return matrix;
  const left = preferencesOf(matrix)
    .map((preference) => preference.filter((kind) => kinds.includes(kind)))
    .filter((preference) => preference.length > 0);
  const include = matrix.include.filter(({ target }) => kinds.includes(target));
  const named = new Set([...left.flat(), ...include.map(({ target }) => target)]);
  if (kinds.every((kind) => named.has(kind))) {
    const each = 'each' in matrix.target;
    // Entries about unselected kinds now match no cell, which is not a mistake.
    const rest = { ...matrix, include, narrowed: true as const };
    return each ? { ...rest, target: { each: left.flat() as Preference[0][] } } : narrowed(rest, left[0]);
  }
  // Its exclusions for the kinds that it names do not apply to others.
  const exclude = matrix.exclude.filter(({ target }) => target === undefined);
  return { ...matrix, target: { each: [...kinds] }, include: [], exclude, 'non-voting': [] };
}

/** A preference of which only some kinds are left; those cells that are left may all come from `include`. */
function narrowed(matrix: Matrix, left: readonly TargetKind[] | undefined): Matrix {
  return left ? { ...matrix, target: [...left] } : matrix;
}
