import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch, ArchName } from '../arch/index.ts';
import { ConfigError, messageOf } from '../base/errors.ts';
import { makeFolder, replaceFile } from '../base/files.ts';
import { openCache } from '../base/folders.ts';
import { lock } from '../base/lock.ts';
import { eachLine, run } from '../base/process.ts';
import { absentFiles, absentPackages } from './absent.ts';
import { type FetchedLists, freshLists, isFresh, outdate } from './package-lists.ts';
import { downloadProgress } from './progress.ts';
import { aptSources, type ImageSettings } from './settings.ts';

/** A package as the archive has it now. */
export interface ResolvedPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/**
 * The archive of one architecture as apt sees it, in a folder of our own: this machine's apt is used only as a program;
 * its sources, lists and state are neither read nor changed.
 */
export interface Apt {
  readonly folder: string;
  /** The lines of sources.list whose packages count. */
  readonly sources: readonly string[];
  /** Archives that the mirror did not serve completely, as sources.list names them: `trixie-security`. */
  readonly missing: readonly string[];
  /**
   * The packages that installing these would install, with versions, sorted by name, including dependencies.
   * @param without treated as installed: left out, with what only they need.
   * @throws UnknownPackagesError for packages that do not exist on this architecture.
   */
  resolve(packages: readonly string[], without?: readonly string[]): Promise<ResolvedPackage[]>;
  /**
   * Downloads these and their dependencies, with signatures verified, into `archives/`.
   * @param without as for `resolve`.
   * @throws AbsentPackagesError if the mirror does not have what it lists.
   */
  download(
    packages: readonly string[],
    without?: readonly string[],
    progress?: (message: string) => void,
  ): Promise<void>;
  /** Path of a downloaded package's file. */
  archive(resolved: ResolvedPackage): string;
}

/** The folder of an architecture's lists and archives. */
export function aptFolder(settings: Pick<ImageSettings, 'cache' | 'mirror' | 'release'>, arch: Arch): string {
  const id = createHash('sha256').update(aptSources(settings).join('\n')).digest('hex').slice(0, 8);
  return join(settings.cache, 'apt', `${settings.release}-${arch.name}-${id}`);
}

/** Messages of opening an archive: warnings, and the reason for waiting. */
export interface AptIo {
  readonly warn?: ((message: string) => void) | undefined;
  readonly progress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the archive of an architecture and fetches its package lists when they are too old. The release's own list
 * must be there; updates and security are left out, with a warning, when the mirror does not serve them in one piece
 * (Debian's security archive was seen to list a file for ppc64el that it does not have), and asked for again by the
 * next run.
 *
 * Lists and downloads have locks of their own, and fresh lists are read without one: a run that has everything in its
 * cache does not wait for another one's downloads.
 */
export async function openApt(settings: ImageSettings, arch: Arch, io: AptIo = {}): Promise<Apt> {
  const { signal } = io;
  openCache(settings.cache);
  const all = aptSources(settings);
  const folder = aptFolder(settings, arch);
  const waitFor = (what: string) => ({
    onWait: (holder: string) => io.progress?.(`waiting for ${holder}, which ${what} for ${arch.name}`),
    signal,
  });
  const config = await writeAptConfig(folder, arch);
  const apt = (
    args: readonly string[],
    purpose: string,
    hear: { readonly output?: (line: string) => void; readonly errors?: (line: string) => void } = {},
  ) =>
    run(['apt-get', ...args], {
      purpose,
      ...(hear.output ? { stdout: eachLine(hear.output) } : {}),
      ...(hear.errors ? { stderr: eachLine(hear.errors) } : {}),
      env: { APT_CONFIG: config, LC_ALL: 'C.UTF-8' },
      ...(signal ? { cancelSignal: signal } : {}),
    });

  const stamp = join(folder, 'refreshed.json');
  if (!(await isFresh(stamp, settings))) {
    await using _lock = await lock(join(folder, 'lists.lock'), waitFor('fetches package lists'));
    if (!(await isFresh(stamp, settings))) {
      const purpose = `fetch the package lists of Debian ${settings.release} for ${arch.name} from ${settings.mirror}`;
      const update = () => apt(['update', '-o', 'APT::Update::Error-Mode=any'], purpose);
      await freshLists(stamp, all, { refreshHours: settings.refreshHours, update, retryMs: 8000, signal });
    }
  }
  const listsOf = await readFile(stamp, 'utf8');
  const { at, sources, left } = JSON.parse(listsOf) as FetchedLists;
  const missing = (left?.sources ?? []).map((line) => line.split(' ').at(-2)!);
  if (left)
    io.warn?.(
      `Debian's ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} left out for ${arch.name}: ${left.why}`,
    );

  return {
    folder,
    sources,
    missing,
    async resolve(packages, without = []) {
      const wanted = [...new Set(packages)].sort();
      const left = [...new Set(without)].sort();
      const memo = join(
        folder,
        `resolved-${createHash('sha256')
          .update(`${listsOf} ${[wanted, ...(left.length > 0 ? ['/', left] : [])].flat().join(' ')}`)
          .digest('hex')
          .slice(0, 16)}.json`,
      );
      const known = await readFile(memo, 'utf8').catch(() => undefined);
      if (known !== undefined) return JSON.parse(known) as ResolvedPackage[];
      const simulated = await apt(
        ['install', '--simulate', ...(await assumed(folder, arch, left)), ...wanted],
        `resolve packages for ${arch.name}`,
      ).catch(async (error: unknown) => {
        const names = missingNames(messageOf(error), wanted);
        if (names.length === 0) throw error;
        const all = await run(['apt-cache', 'pkgnames'], { purpose: 'list the packages', env: { APT_CONFIG: config } });
        const known = String(all.stdout).split('\n');
        throw new UnknownPackagesError(names, { arch, release: settings.release, known, cause: error });
      });
      const resolved = parseSimulation(String(simulated.stdout));
      await replaceFile(memo, JSON.stringify(resolved));
      return resolved;
    },
    async download(packages, without = [], progress = () => {}) {
      await using _downloading = await lock(join(folder, 'archives.lock'), waitFor('downloads packages'));
      const left = await assumed(folder, arch, without);
      const said: string[] = [];
      const purpose = `download packages for ${arch.name}`;
      await apt(['install', '--download-only', '--yes', ...left, ...new Set(packages)], purpose, {
        output: downloadProgress(progress),
        errors: (line) => void said.push(line),
      }).catch(async (cause: unknown) => {
        const files = absentFiles(said);
        if (files.length === 0) throw cause;
        const error = absentPackages({ files, arch, settings, listedAt: Date.parse(at), cause });
        if (error.outdated) await outdate(stamp);
        throw error;
      });
    },
    archive: (resolved) =>
      join(folder, 'archives', `${resolved.name}_${resolved.version.replaceAll(':', '%3a')}_${resolved.arch}.deb`),
  };
}

/** apt's options for treating packages as installed, in a version that satisfies every dependency. */
async function assumed(folder: string, arch: Arch, packages: readonly string[]): Promise<string[]> {
  if (packages.length === 0) return [];
  const names = [...new Set(packages)].sort();
  const id = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 16);
  const status = join(folder, `status-${id}`);
  await replaceFile(status, names.map((name) => assumedPackage(name, arch)).join('\n'));
  return ['-o', `Dir::State::status=${status}`];
}

/** An entry of dpkg's status file. */
function assumedPackage(name: string, arch: Arch): string {
  return `Package: ${name}
Status: install ok installed
Maintainer: nobody
Architecture: ${arch.debian}
Multi-Arch: foreign
Version: 999:0
Description: taken to be installed
`;
}

/** Reads apt's `Inst NAME (VERSION ORIGIN [ARCH])` lines. */
export function parseSimulation(text: string): ResolvedPackage[] {
  return [...text.matchAll(/^Inst (\S+) \((\S+) .*?\[(\w+)\]\)/gm)]
    .map(([, name, version, arch]) => ({ name: name!.replace(/:.*/, ''), version: version!, arch: arch! }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Packages that a release does not have for an architecture. */
export class UnknownPackagesError extends ConfigError {
  readonly names: readonly string[];
  readonly arch: ArchName;
  readonly release: string;
  /** Every existing name, for suggestions. */
  readonly known: readonly string[];
  constructor(
    names: readonly string[],
    { arch, release, known, cause }: { arch: Arch; release: string; known: readonly string[]; cause: unknown },
  ) {
    const quoted = names.map((name) => `"${name}"`).join(', ');
    super(`cannot resolve packages for ${arch.name}: Debian ${release} has no package ${quoted} for ${arch.debian}`, {
      cause,
      hint: `Look the name up at https://packages.debian.org/${release}/, or leave ${arch.name} out with \`arch:\` in the suite.`,
    });
    this.names = names;
    this.arch = arch.name;
    this.release = release;
    this.known = known;
  }
}

/** The wanted packages that apt cannot find, as they were written. */
export function missingNames(said: string, wanted: readonly string[]): string[] {
  const missing = [
    ...said.matchAll(
      /(?:Unable to locate package|Package '?) ?([a-z0-9][a-z0-9+.-]+)(?:'? has no installation candidate)?/g,
    ),
  ].map((match) => match[1]!);
  // apt reads a + at the end of an unknown name as "install", and drops it.
  const asWritten = missing.map((name) => (wanted.includes(`${name}+`) && !wanted.includes(name) ? `${name}+` : name));
  return [...new Set(asWritten)];
}

/** Makes a folder for apt's own use. @returns the path of its configuration, for APT_CONFIG. */
export async function writeAptConfig(folder: string, arch: Pick<Arch, 'debian'>): Promise<string> {
  for (const part of ['lists/partial', 'archives/partial', 'etc/parts', 'etc/preferences.d'])
    makeFolder(join(folder, part));
  const config = join(folder, 'apt.conf');
  await writeFile(join(folder, 'status'), '', { flag: 'a' });
  const settings = [
    `Dir "${folder}";`,
    `Dir::Etc "${folder}/etc";`,
    `Dir::Etc::parts "${folder}/etc/parts";`,
    `Dir::State "${folder}";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}";`,
    `APT::Architecture "${arch.debian}";`,
    `APT::Architectures { "${arch.debian}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
  ];
  // Replaced atomically: an apt of another cell may be reading it.
  await replaceFile(config, `${settings.join('\n')}\n`);
  return config;
}
