import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Arch, ArchName } from '../arch/index.ts';
import { ConfigError, messageOf } from '../base/errors.ts';
import { replaceFile } from '../base/files.ts';
import { lock } from '../base/lock.ts';
import { eachLine, run } from '../base/process.ts';
import { retryUntil } from '../base/time.ts';
import { downloadProgress } from './progress.ts';
import { aptSources, type ImageSettings } from './settings.ts';

/** A package as the archive has it now. */
export interface ResolvedPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/**
 * The archive of one architecture as apt sees it, in a folder of our own: this machine's apt is only used as a
 * program, its sources, lists and state are neither read nor changed.
 */
export interface Apt {
  readonly folder: string;
  /** The lines of sources.list whose packages count. */
  readonly sources: readonly string[];
  /** Archives that the mirror did not serve in one piece, as sources.list names them: `trixie-security`. */
  readonly missing: readonly string[];
  /**
   * The packages that installing these would bring, with versions, sorted by name, dependencies included.
   * @param without taken to be installed already: neither they nor what only they need is brought.
   * @throws UnknownPackagesError for packages that do not exist on this architecture.
   */
  resolve(packages: readonly string[], without?: readonly string[]): Promise<ResolvedPackage[]>;
  /** Downloads these and what they depend on, signatures verified, into `archives/`. @param without as for `resolve`. */
  download(
    packages: readonly string[],
    without?: readonly string[],
    progress?: (message: string) => void,
  ): Promise<void>;
  /** Path of a downloaded package's file. */
  archive(resolved: ResolvedPackage): string;
}

/** Where the lists and archives of an architecture are kept. */
export function aptFolder(settings: Pick<ImageSettings, 'cache' | 'mirror' | 'release'>, arch: Arch): string {
  const id = createHash('sha256').update(aptSources(settings).join('\n')).digest('hex').slice(0, 8);
  return join(settings.cache, 'apt', `${settings.release}-${arch.name}-${id}`);
}

/** What opening an archive may tell: warnings, and what it waits for. */
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
  const all = aptSources(settings);
  const folder = aptFolder(settings, arch);
  const waitFor = (what: string) => ({
    onWait: (holder: string) => io.progress?.(`waiting for ${holder}, which ${what} for ${arch.name}`),
    signal,
  });
  const config = await writeAptConfig(folder, arch);
  const apt = (args: readonly string[], purpose: string, hear?: (line: string) => void) =>
    run(['apt-get', ...args], {
      purpose,
      ...(hear ? { stdout: eachLine(hear) } : {}),
      env: { APT_CONFIG: config, LC_ALL: 'C.UTF-8' },
      ...(signal ? { cancelSignal: signal } : {}),
    });

  const stamp = join(folder, 'refreshed.json');
  if (!(await isFresh(stamp, settings))) {
    await using _lock = await lock(join(folder, 'lists.lock'), waitFor('fetches package lists'));
    if (!(await isFresh(stamp, settings))) {
      const purpose = `fetch the package lists of Debian ${settings.release} for ${arch.name} from ${settings.mirror}`;
      const update = () => apt(['update', '-o', 'APT::Update::Error-Mode=any'], purpose);
      const before = await listsIn(stamp);
      const young = before !== undefined && isYoung(before, settings.refreshHours, Date.now());
      const lists = young
        ? await fetchLeft(folder, all, before, update)
        : await fetchLists(folder, all, update, signal);
      askedHere.add(folder);
      // The same as before, to the letter, where nothing came of it: what was resolved from them still holds.
      if (lists !== before)
        await replaceFile(stamp, JSON.stringify({ at: new Date().toISOString(), by: openedHere, ...lists }));
    }
  }
  const listsOf = await readFile(stamp, 'utf8');
  const { sources, left } = JSON.parse(listsOf) as FetchedLists;
  const missing = (left?.sources ?? []).map((line) => line.split(' ').at(-2)!);
  if (left) io.warn?.(`Debian's ${missing.join(' and ')} is left out for ${arch.name}: ${left.why}`);

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
      await apt(
        ['install', '--download-only', '--yes', ...left, ...new Set(packages)],
        `download packages for ${arch.name}`,
        downloadProgress(progress),
      );
    },
    archive: (resolved) =>
      join(folder, 'archives', `${resolved.name}_${resolved.version.replaceAll(':', '%3a')}_${resolved.arch}.deb`),
  };
}

/** apt's options for taking packages to be installed, in a version that satisfies everybody. */
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
  /** Every name that there is, for finding what was meant. */
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

/** The names of those wanted packages that apt says it cannot find, as they were written. */
export function missingNames(said: string, wanted: readonly string[]): string[] {
  const missing = [
    ...said.matchAll(
      /(?:Unable to locate package|Package '?) ?([a-z0-9][a-z0-9+.-]+)(?:'? has no installation candidate)?/g,
    ),
  ].map((match) => match[1]!);
  // apt reads a + at the end of a name that it does not know as "install", and leaves it out.
  const asWritten = missing.map((name) => (wanted.includes(`${name}+`) && !wanted.includes(name) ? `${name}+` : name));
  return [...new Set(asWritten)];
}

/** Which package lists there are, and what is not among them; kept in the folder's `refreshed.json`. */
export interface FetchedLists {
  /** ISO time. */
  readonly at: string;
  /** The process that fetched them. */
  readonly by: string;
  readonly sources: readonly string[];
  readonly left?: { readonly sources: readonly string[]; readonly why: string };
}

/** Names this process: what it could not fetch a moment ago it does not ask for again with each of its cells. */
const openedHere = randomUUID();

/** Folders whose missing lists this process has asked for. */
const askedHere = new Set<string>();

async function listsIn(stamp: string): Promise<FetchedLists | undefined> {
  const text = await readFile(stamp, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as FetchedLists);
}

async function isFresh(stamp: string, { refreshHours }: ImageSettings): Promise<boolean> {
  const lists = await listsIn(stamp);
  if (lists === undefined) return false;
  const now = Date.now();
  return (
    areFresh(lists, refreshHours, now, openedHere) ||
    (isYoung(lists, refreshHours, now) && askedHere.has(dirname(stamp)))
  );
}

function isYoung({ at }: Pick<FetchedLists, 'at'>, refreshHours: number, now: number): boolean {
  return now - Date.parse(at) <= refreshHours * 3_600_000;
}

/** Asks once more for the lists that were left out; those that there are stay as they are when that fails. */
async function fetchLeft(
  folder: string,
  all: readonly string[],
  before: FetchedLists,
  update: () => Promise<unknown>,
): Promise<Pick<FetchedLists, 'sources' | 'left'>> {
  const list = (sources: readonly string[]) =>
    writeFile(join(folder, 'etc', 'sources.list'), `${sources.join('\n')}\n`);
  await list(all);
  try {
    await update();
    return { sources: all };
  } catch {
    await list(before.sources);
    return before;
  }
}

/**
 * Whether package lists need not be fetched: they are young enough, and whole unless this very process fetched them. A
 * mirror that is being synchronised is whole again in minutes.
 * @param now milliseconds since 1970.
 */
export function areFresh({ at, by, left }: FetchedLists, refreshHours: number, now: number, process: string): boolean {
  return isYoung({ at }, refreshHours, now) && (left === undefined || by === process);
}

/** Fetches the lists of as many sources as can be had: all, else without the last ones. */
async function fetchLists(
  folder: string,
  all: readonly string[],
  update: () => Promise<unknown>,
  signal?: AbortSignal,
): Promise<Pick<FetchedLists, 'sources' | 'left'>> {
  let why: string | undefined;
  for (let count = all.length; ; count--) {
    const sources = all.slice(0, count);
    await writeFile(join(folder, 'etc', 'sources.list'), `${sources.join('\n')}\n`);
    try {
      // A mirror that is being synchronised serves lists that do not fit its signed index for a while: ask again.
      await retryUntil(update, { deadlineMs: 8000, everyMs: 3000, signal });
      return why === undefined ? { sources } : { sources, left: { sources: all.slice(count), why } };
    } catch (error) {
      if (count === 1) throw error;
      why = /^E: (.*)/m.exec(messageOf(error))?.[1] ?? messageOf(error);
    }
  }
}

/** Makes a folder for apt's own use. @returns the path of its configuration, for APT_CONFIG. */
export async function writeAptConfig(folder: string, arch: Pick<Arch, 'debian'>): Promise<string> {
  for (const part of ['lists/partial', 'archives/partial', 'etc/parts', 'etc/preferences.d'])
    await mkdir(join(folder, part), { recursive: true });
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
  // Replaced in one piece: an apt of another cell may be reading it.
  await replaceFile(config, `${settings.join('\n')}\n`);
  return config;
}
