import { bookworm } from './bookworm.ts';
import { trixie } from './trixie.ts';
import type { Release, ReleaseName } from './types.ts';

export type { Release, ReleaseName } from './types.ts';

/** Every Debian release that guests can be made of, the newest first. */
export const releases: Readonly<Record<ReleaseName, Release>> = { trixie, bookworm };

export const releaseNames = Object.keys(releases) as [ReleaseName, ...ReleaseName[]];

/** The release of guests where a matrix names none. */
export const DEFAULT_RELEASE: ReleaseName = 'bookworm';

/** Packages as a release has them: with those that it has split off. */
export function packagesIn(release: ReleaseName, packages: readonly string[]): string[] {
  const { split } = releases[release];
  return [...new Set(packages.flatMap((name) => [name, ...(split[name] ?? [])]))];
}
