import type { SourceEntry } from './tree.ts';

/** The files to copy to a machine, and those to remove, to bring a source up to date. */
export interface SourceChanges {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** The difference between two states of a source. @param before absent: the machine has nothing of it. */
export function sourceChanges(
  before: readonly Pick<SourceEntry, 'path' | 'digest'>[] = [],
  now: readonly Pick<SourceEntry, 'path' | 'digest'>[],
): SourceChanges {
  const had = new Map(before.map(({ path, digest }) => [path, digest]));
  const has = new Set(now.map(({ path }) => path));
  return {
    changed: now.filter(({ path, digest }) => had.get(path) !== digest).map(({ path }) => path),
    removed: before.filter(({ path }) => !has.has(path)).map(({ path }) => path),
  };
}

/**
 * Whether a machine set up from one state of a source is still valid for another: the files that the set-up read are
 * the same in both.
 * @param reads the paths that it read, or `all` if unknown.
 */
export function setUpFrom(
  before: readonly Pick<SourceEntry, 'path' | 'digest'>[],
  reads: readonly string[] | 'all',
  now: readonly Pick<SourceEntry, 'path' | 'digest'>[],
): boolean {
  const { changed, removed } = sourceChanges(before, now);
  const differs = [...changed, ...removed];
  if (reads === 'all') return differs.length === 0;
  const read = new Set(reads);
  return !differs.some((path) => read.has(path));
}
