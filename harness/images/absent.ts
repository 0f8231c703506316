import type { Arch } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import type { ImageSettings } from './settings.ts';

/** Lists older than this (milliseconds) may name packages that the mirror has since removed. */
const OUTDATED_MS = 10 * 60_000;

/** The mirror lists packages that it does not have. */
export class AbsentPackagesError extends InfraError {
  /** Whether fetching the lists again may help: they were not just fetched. */
  readonly outdated: boolean;
  constructor(message: string, { outdated, ...advice }: { outdated: boolean; hint: string; cause: unknown }) {
    super(message, advice);
    this.outdated = outdated;
  }
}

/** The package files that apt reports as missing in its stderr: `libc6_2.41-12+deb13u5_arm64.deb`. */
export function absentFiles(said: readonly string[]): string[] {
  const files = said.flatMap((line) => /^E: Failed to fetch \S+\/(\S+\.deb)\s+404\b/.exec(line)?.[1] ?? []);
  return [...new Set(files.map((file) => decodeURIComponent(file)))];
}

/** @param what.listedAt when the lists were fetched, milliseconds since 1970. */
export function absentPackages(what: {
  readonly files: readonly string[];
  readonly arch: Arch;
  readonly settings: Pick<ImageSettings, 'mirror' | 'release'>;
  readonly listedAt: number;
  readonly cause: unknown;
}): AbsentPackagesError {
  const { files, arch, settings, listedAt, cause } = what;
  const [first, ...rest] = files;
  const others = rest.length === 0 ? '' : ` and ${rest.length} other file${rest.length === 1 ? '' : 's'}`;
  const releases = arch.releases.filter((name) => name !== settings.release);
  return new AbsentPackagesError(
    `cannot download packages for ${arch.name}: ${settings.mirror} lists ${first}${others} of Debian ${settings.release} and does not have ${rest.length === 0 ? 'it' : 'them'}`,
    {
      outdated: Date.now() - listedAt > OUTDATED_MS,
      hint: `The mirror is being synchronised for ${arch.debian}. Try again later, or with another one (\`images.mirror\` of the matrix)${releases.length === 0 ? '' : `, or with \`--release ${releases.join(',')}\``}.`,
      cause,
    },
  );
}

/**
 * Runs a download of packages, and repeats it once with new lists if the old ones name packages that the mirror has
 * since replaced.
 */
export async function withCurrentLists<T>(work: () => Promise<T>, progress?: (message: string) => void): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AbsentPackagesError && error.outdated)) throw error;
    progress?.('the mirror has other packages than it listed: fetching its lists again');
    return work();
  }
}
