import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { replaceFile } from '../base/files.ts';
import { retryUntil } from '../base/time.ts';

/** The state of the package lists; kept in the folder's `refreshed.json`. */
export interface FetchedLists {
  /** ISO time. */
  readonly at: string;
  /** The process that fetched them. */
  readonly by: string;
  readonly sources: readonly string[];
  readonly left?: { readonly sources: readonly string[]; readonly why: string };
}

/** Identifies this process: lists that it just failed to fetch are not asked for again with each of its cells. */
const openedHere = randomUUID();

/** Folders whose missing lists this process has already asked for. */
const askedHere = new Set<string>();

export interface Fetching {
  /** Hours after which lists are fetched again. */
  readonly refreshHours: number;
  /** Fetches the lists of the folder's sources.list; throws if one is unavailable. */
  readonly update: () => Promise<unknown>;
  /** Milliseconds for retrying a mirror that is being synchronised. */
  readonly retryMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches all or missing package lists, and records them. The caller holds the lock of the lists. */
export async function freshLists(stamp: string, all: readonly string[], fetching: Fetching): Promise<void> {
  const folder = dirname(stamp);
  const before = await listsIn(stamp);
  const young = before !== undefined && isYoung(before, fetching.refreshHours, Date.now());
  const lists = young ? await fetchLeft(folder, all, before, fetching.update) : await fetchLists(folder, all, fetching);
  askedHere.add(folder);
  // Byte for byte the same if nothing was gained: results resolved from them stay valid.
  if (lists !== before)
    await replaceFile(stamp, JSON.stringify({ at: new Date().toISOString(), by: openedHere, ...lists }));
}

/** Marks the lists as too old, so that the next process that opens them fetches them again. */
export async function outdate(stamp: string): Promise<void> {
  const lists = await listsIn(stamp);
  // Replaced, not removed: another process may be about to read it.
  if (lists) await replaceFile(stamp, JSON.stringify({ ...lists, at: new Date(0).toISOString() }));
}

async function listsIn(stamp: string): Promise<FetchedLists | undefined> {
  const text = await readFile(stamp, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as FetchedLists);
}

/** Whether the lists in a folder need not be fetched by this process. */
export async function isFresh(stamp: string, { refreshHours }: Pick<Fetching, 'refreshHours'>): Promise<boolean> {
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

/** Retries the lists that were left out; the existing ones stay as they are if that fails. */
async function fetchLeft(
  folder: string,
  all: readonly string[],
  before: FetchedLists,
  update: Fetching['update'],
): Promise<Pick<FetchedLists, 'sources' | 'left'>> {
  await writeSources(folder, all);
  try {
    await update();
    return { sources: all };
  } catch {
    await writeSources(folder, before.sources);
    return before;
  }
}

/**
 * Whether package lists are good enough: young, and complete unless this very process fetched them. A mirror that is
 * being synchronised is complete again in minutes.
 * @param now milliseconds since 1970.
 */
export function areFresh({ at, by, left }: FetchedLists, refreshHours: number, now: number, process: string): boolean {
  return isYoung({ at }, refreshHours, now) && (left === undefined || by === process);
}

/** Fetches the lists of as many sources as possible: all, else without those that failed, but never without the first. */
async function fetchLists(
  folder: string,
  all: readonly string[],
  { update, retryMs, signal }: Fetching,
): Promise<Pick<FetchedLists, 'sources' | 'left'>> {
  let sources = all;
  let why: string | undefined;
  for (;;) {
    await writeSources(folder, sources);
    try {
      // During synchronisation a mirror serves lists that do not match its signed index: retry.
      await retryUntil(update, { deadlineMs: retryMs, everyMs: 3000, signal });
      const left = all.filter((source) => !sources.includes(source));
      return why === undefined ? { sources } : { sources, left: { sources: left, why } };
    } catch (error) {
      const failed = failedSources(messageOf(error), sources);
      if (sources.length === 1 || failed.includes(sources[0]!)) throw error;
      why ??= /^E: (.*)/m.exec(messageOf(error))?.[1] ?? messageOf(error);
      // If apt names none, it may be any of them: the last one is the most dispensable.
      sources = sources.filter((source, index) =>
        failed.length > 0 ? !failed.includes(source) : index < sources.length - 1,
      );
    }
  }
}

/**
 * The sources whose lists apt could not fetch.
 * @param sources lines of sources.list: `deb [signed-by=…] http://deb.debian.org/debian trixie main`.
 */
export function failedSources(said: string, sources: readonly string[]): string[] {
  const errors = said.split('\n').filter((line) => line.startsWith('E: '));
  return sources.filter((source) => {
    const [address = '', suite = ''] = source.split(' ').slice(-3);
    return errors.some((line) => line.includes(`${address}/dists/${suite}/`) || line.includes(`'${address} ${suite} `));
  });
}

async function writeSources(folder: string, sources: readonly string[]): Promise<void> {
  await writeFile(join(folder, 'etc', 'sources.list'), `${sources.join('\n')}\n`);
}
