import type { TargetKind } from '../targets/kinds.ts';
import type { Matrix } from './suite.ts';

/** Kinds of target in the order in which they are preferred. */
export type Preference = readonly [TargetKind, ...TargetKind[]];

/** What a matrix says of targets: a list is one preference, and `each` is a cell for every kind. */
export function preferencesOf({ target }: Pick<Matrix, 'target'>): readonly Preference[] {
  return 'each' in target ? target.each.map((kind) => [kind] as const) : [target as unknown as Preference];
}

/**
 * A matrix with the kinds of target of a command line. Kinds that the matrix names are what is left of it; of one that
 * it does not name, everything runs on what was asked for.
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
    // Its entries about kinds that are left out match no cell now, which is no mistake of theirs.
    const rest = { ...matrix, include, narrowed: true as const };
    return each ? { ...rest, target: { each: left.flat() as Preference[0][] } } : narrowed(rest, left[0]);
  }
  // What it leaves out for the kinds that it names, it does not say of others.
  const exclude = matrix.exclude.filter(({ target }) => target === undefined);
  return { ...matrix, target: { each: [...kinds] }, include: [], exclude, 'non-voting': [] };
}

/** A preference of which only some kinds are left; those cells that are left may all come from `include`. */
function narrowed(matrix: Matrix, left: readonly TargetKind[] | undefined): Matrix {
  return left ? { ...matrix, target: [...left] } : matrix;
}
