import type { SourceEntry } from './tree.ts';

/** What a machine has to get, and to lose, to have a source as it is now. */
export interface SourceChanges {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What differs between two states of a source. @param before absent: the machine has nothing of it. */
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
 * Whether a machine that was set up from one state of a source is what it would be if it were set up from another: nothing
 * that the set-up read differs.
 * @param reads the paths that it read, or `all` where that is not known.
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
