import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InfraError, messageOf } from '../base/errors.ts';
import { exists, makeFolder } from '../base/files.ts';
import { lock, tryLock } from '../base/lock.ts';
import { formatBytes } from '../base/text.ts';
import { removeBuild } from './as-root.ts';
import { remoteOf } from './remote/open.ts';
import type { UsedRemote } from './remote/remote.ts';

/** What an entry of the cache holds. */
export type EntryKind =
  | 'base'
  | 'packages'
  | 'built'
  | 'software'
  | 'kernel'
  | 'ramdisk'
  | 'disk'
  | 'system'
  | 'container'
  | 'source'
  | 'snapshot';

/** A finished entry: an immutable folder. */
export interface CacheEntry {
  readonly kind: EntryKind;
  readonly key: string;
  readonly folder: string;
  readonly meta: EntryMeta;
  /** True if it already existed. */
  readonly hit: boolean;
}

/** Kept beside the entry's files, for people and for `images list`. */
export interface EntryMeta {
  readonly kind: EntryKind;
  readonly key: string;
  /** What it is, for instance `arm64 web`. */
  readonly label: string;
  readonly createdAt: string;
  readonly buildMs: number;
  /** Everything the key was made of. */
  readonly ingredients: unknown;
}

/** A key from all inputs: the first 20 hexadecimal digits of the SHA-256 of their JSON. */
export function keyOf(ingredients: unknown): string {
  return createHash('sha256').update(JSON.stringify(ingredients)).digest('hex').slice(0, 20);
}

export interface BuildRequest {
  readonly cache: string;
  readonly kind: EntryKind;
  readonly label: string;
  readonly ingredients: unknown;
  /** Free disk space, in bytes, required to begin the build. */
  readonly needBytes: number;
  /** Called repeatedly while another process builds it, with the name of that process. */
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Told what stops nothing: a remote cache that cannot be reached. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Where other machines have put theirs; null: nowhere; absent: what the environment names. */
  readonly remote?: UsedRemote | null | undefined;
  /** Free bytes below a folder; a parameter for tests. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** The finished entry of these ingredients, or undefined. Marks it as used now. */
export function findEntry(
  cache: string,
  kind: EntryKind,
  ingredients: unknown,
  options: Pick<BuildRequest, 'remote' | 'signal' | 'warn'> = {},
): Promise<Omit<CacheEntry, 'hit'> | undefined> {
  return entryOf(cache, kind, keyOf({ kind, ingredients }), options);
}

/** The entry of a key, of this machine or a remote cache; undefined where neither has it. It counts as used now. */
export async function entryOf(
  cache: string,
  kind: EntryKind,
  key: string,
  options: Pick<BuildRequest, 'remote' | 'signal' | 'warn'> = {},
): Promise<Omit<CacheEntry, 'hit'> | undefined> {
  const folder = entryFolder(cache, kind, key);
  const found = await openEntry(folder);
  const used = usedRemote(options);
  if (found || used === undefined) return found;
  await using _lock = await lock(lockOf(cache, `${kind}-${key}`), options);
  const meanwhile = await openEntry(folder);
  if (meanwhile) return meanwhile;
  const temporary = await emptyFolder(`${folder}${PARTIAL}`);
  if (await fetched(used, { kind, key }, temporary, options)) {
    await rename(temporary, folder);
    return openEntry(folder);
  }
  await removeBuild(temporary).catch(() => {});
  return undefined;
}

function usedRemote({ remote }: Pick<BuildRequest, 'remote'>): UsedRemote | undefined {
  return remote === undefined ? remoteOf() : (remote ?? undefined);
}

/** Makes an empty folder. The caller holds the key's lock, so anything in it was left by a build that died. */
async function emptyFolder(folder: string): Promise<string> {
  await removeBuild(folder);
  makeFolder(folder);
  return folder;
}

/** Fills a folder from a remote cache. A failure is a miss, and a warning: what can be built is built. */
async function fetched(
  { remote }: UsedRemote,
  { kind, key }: { readonly kind: EntryKind; readonly key: string },
  folder: string,
  { signal, warn }: Pick<BuildRequest, 'signal' | 'warn'>,
): Promise<boolean> {
  try {
    if (!(await remote.get(kind, key, folder, signal))) return false;
    const meta = JSON.parse(await readFile(join(folder, 'meta.json'), 'utf8')) as EntryMeta;
    if (meta.kind === kind && meta.key === key) return true;
    throw new Error(`it is ${meta.kind}-${meta.key}`);
  } catch (error) {
    signal?.throwIfAborted();
    warn?.(`cannot take ${kind}-${key} from the cache ${remote.name}: ${messageOf(error)}`);
    return false;
  }
}

/** Gives an entry to a remote cache, where this process may. A failure is a warning. */
async function given(
  entry: CacheEntry,
  options: Pick<BuildRequest, 'remote' | 'signal' | 'warn'>,
): Promise<CacheEntry> {
  const used = usedRemote(options);
  if (!used?.writes) return entry;
  const { kind, key, folder } = entry;
  await used.remote.put({ kind, key, folder }, options.signal).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    options.warn?.(`cannot put ${kind}-${key} into the cache ${used.remote.name}: ${messageOf(error)}`);
  });
  return entry;
}

/** Where the entries of a cache are: `KIND-KEY`, a folder each. */
export function imagesFolder(cache: string): string {
  return join(cache, 'images');
}

function entryFolder(cache: string, kind: EntryKind, key: string): string {
  return join(imagesFolder(cache), `${kind}-${key}`);
}

/**
 * The entry of a key, built if it does not exist. It is built in a separate folder and renamed when complete, so an
 * interrupted build is never taken for an image; a lock keeps two runs from building the same entry.
 */
export async function cached(request: BuildRequest, build: (folder: string) => Promise<void>): Promise<CacheEntry> {
  const { cache, kind, label, ingredients } = request;
  const key = keyOf({ kind, ingredients });
  const folder = entryFolder(cache, kind, key);
  const found = await openEntry(folder);
  if (found) return { ...found, hit: true };

  await removeDeadBuilds(cache);
  await using _lock = await lock(lockOf(cache, `${kind}-${key}`), request);
  const meanwhile = await openEntry(folder);
  if (meanwhile) return { ...meanwhile, hit: true };

  const temporary = `${folder}${PARTIAL}`;
  // We hold the key's lock, so anything here was left by a dead build.
  await removeBuild(temporary);
  makeFolder(temporary);
  const started = performance.now();
  try {
    await checkSpace(request);
    const used = usedRemote(request);
    if (used && (await fetched(used, { kind, key }, temporary, request))) {
      await rename(temporary, folder);
      return { ...(await openEntry(folder))!, hit: true };
    }
    // A miss may have left some of it.
    if (used) await emptyFolder(temporary);
    await build(temporary);
    const meta: EntryMeta = {
      kind,
      key,
      label,
      createdAt: new Date().toISOString(),
      buildMs: Math.round(performance.now() - started),
      ingredients,
    };
    await writeFile(join(temporary, 'meta.json'), `${JSON.stringify(meta, null, 1)}\n`);
    await rename(temporary, folder);
    return await given({ kind, key, folder, meta, hit: false }, request);
  } catch (error) {
    await removeBuild(temporary).catch(() => {});
    throw isDiskFull(error) ? noSpace(request, error) : error;
  }
}

function lockOf(cache: string, entry: string): string {
  return join(cache, 'locks', entry);
}

const PARTIAL = '.partial';

/**
 * Removes leftovers of killed builds. A running build holds the lock of its entry, a dead one holds nothing.
 * @returns the removed folders, and their bytes on the disk.
 */
export async function removeDeadBuilds(
  cache: string,
  options: { readonly dryRun?: boolean } = {},
): Promise<{ readonly folders: string[]; readonly bytes: number }> {
  const folders: string[] = [];
  let bytes = 0;
  for (const folder of await partialFolders(cache)) {
    await using dead = await tryLock(lockOf(cache, basename(folder, PARTIAL)));
    // The build may have finished before we got the lock.
    if (!dead || !(await exists(folder))) continue;
    bytes += await bytesIn(folder);
    if (!options.dryRun) await removeBuild(folder);
    folders.push(folder);
  }
  return { folders, bytes };
}

async function partialFolders(cache: string): Promise<string[]> {
  const names = await readdir(imagesFolder(cache)).catch(() => []);
  return names.filter((name) => name.endsWith(PARTIAL)).map((name) => join(imagesFolder(cache), name));
}

async function checkSpace(request: BuildRequest): Promise<void> {
  const free = await (request.freeBytes ?? freeBytes)(request.cache);
  if (free < request.needBytes) throw noSpace(request, undefined, free);
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function isDiskFull(error: unknown): boolean {
  return /ENOSPC|No space left on device/.test(
    error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : '',
  );
}

function noSpace(request: BuildRequest, cause?: unknown, free?: number): InfraError {
  const left = free === undefined ? 'the disk filled up' : `${formatBytes(free)} are free`;
  return new InfraError(
    `cannot build the ${request.kind} image of ${request.label}: it needs ${formatBytes(request.needBytes)} below ${request.cache}, and ${left}`,
    { cause, hint: 'Free some space with `harness images gc`, or point HARNESS_CACHE at a larger disk.' },
  );
}

async function openEntry(folder: string): Promise<Omit<CacheEntry, 'hit'> | undefined> {
  const text = await readFile(join(folder, 'meta.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const meta = JSON.parse(text) as EntryMeta;
  // The folder's time is the time of last use, for `images gc`.
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
  return { kind: meta.kind, key: meta.key, folder, meta };
}

/** Every finished entry, and the folders of unfinished builds, running or dead. */
export async function listEntries(cache: string): Promise<{ entries: Omit<CacheEntry, 'hit'>[]; partial: string[] }> {
  const folder = imagesFolder(cache);
  const names = await readdir(folder).catch(() => []);
  const entries: Omit<CacheEntry, 'hit'>[] = [];
  for (const name of names.filter((name) => !name.endsWith(PARTIAL))) {
    const text = await readFile(join(folder, name, 'meta.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const meta = JSON.parse(text) as EntryMeta;
    entries.push({ kind: meta.kind, key: meta.key, folder: join(folder, name), meta });
  }
  return { entries, partial: await partialFolders(cache) };
}

/** Bytes on the disk below a folder; holes of sparse files do not count. */
export async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    names
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ blocks }) => blocks * 512,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Removes the least recently used entries of a kind until the others take at most `limitBytes`. */
export async function evictOldest(cache: string, kind: EntryKind, limitBytes: number): Promise<void> {
  const { entries } = await listEntries(cache);
  const sized = await Promise.all(
    entries
      .filter((entry) => entry.kind === kind)
      .map(async ({ folder }) => ({
        folder,
        bytes: await bytesIn(folder),
        usedAt: await stat(folder).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      })),
  );
  let total = 0;
  for (const { folder, bytes } of sized.sort((a, b) => b.usedAt - a.usedAt)) {
    total += bytes;
    if (total > limitBytes) await rm(folder, { recursive: true, force: true });
  }
}
