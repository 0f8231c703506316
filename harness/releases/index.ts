import { bookworm } from './bookworm.ts';
import { trixie } from './trixie.ts';
import type { Release } from './types.ts';

export type { Release } from './types.ts';

/** Every Debian release that guests can be made of, the newest first. */
const list = { trixie, bookworm };

/** The code name of a Debian release, in cells, files and reports. */
export type ReleaseName = keyof typeof list;

export const releases: Readonly<Record<ReleaseName, Release>> = list;

export const releaseNames = Object.keys(releases) as [ReleaseName, ...ReleaseName[]];

/** The default release of guests. */
export const DEFAULT_RELEASE: ReleaseName = 'bookworm';

/** The packages of a release for these names, including those split off. */
export function packagesIn(release: ReleaseName, packages: readonly string[]): string[] {
  const { split } = releases[release];
  return [...new Set(packages.flatMap((name) => [name, ...(split[name] ?? [])]))];
}
