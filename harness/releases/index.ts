import { bookworm } from './bookworm.ts';
import { trixie } from './trixie.ts';
import type { Release, ReleaseName } from './types.ts';

export type { Release, ReleaseName } from './types.ts';

/** Every Debian release that guests can be made of, the newest first. */
export const releases: Readonly<Record<ReleaseName, Release>> = { trixie, bookworm };

export const releaseNames = Object.keys(releases) as [ReleaseName, ...ReleaseName[]];

/** The default release of guests. */
export const DEFAULT_RELEASE: ReleaseName = 'bookworm';

/** The packages of a release for these names, including those split off. */
export function packagesIn(release: ReleaseName, packages: readonly string[]): string[] {
  const { split } = releases[release];
  return [...new Set(packages.flatMap((name) => [name, ...(split[name] ?? [])]))];
}
