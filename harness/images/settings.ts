import { type ReleaseName, releases } from '../releases/index.ts';

/** The source of packages, and the folder for images. */
export interface ImageSettings {
  /** Debian's archive, `http://deb.debian.org/debian`. */
  readonly mirror: string;
  readonly release: ReleaseName;
  /** Hours after which package lists are fetched again. */
  readonly refreshHours: number;
  /** Memory limit of all processes in a root file system during its build, in bytes. */
  readonly buildMemoryBytes: number;
  /** Milliseconds for building a root file system. */
  readonly buildMs: number;
  /** The cache folder, absolute. */
  readonly cache: string;
}

/** Raised when the recipe of images changes: images of an older recipe are not used. */
export const RECIPE = 1;

/**
 * The apt sources of a release, the essential one first. They are signed, and verified with Debian's own keyring; the
 * security archive is a sibling of the main one, on deb.debian.org as on every mirror that carries it.
 */
export function aptSources(settings: Pick<ImageSettings, 'mirror' | 'release'>): string[] {
  const mirror = settings.mirror.replace(/\/+$/, '');
  const { archives, keyring } = releases[settings.release];
  return archives.map(({ suite, beside }) => `deb [signed-by=${keyring}] ${mirror}${beside} ${suite} main`);
}
