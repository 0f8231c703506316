import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError, messageOf } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { foldEvents } from '../events/fold.ts';
import { parseEvents } from '../events/reader.ts';
import { NIGHT_VERSION, type Night, nightOf } from './night.ts';

/** A run of a history, and its file, the source of truth. */
export interface HistoryNight {
  readonly file: string;
  readonly night: Night;
}

/** The extension of a run's file in a history. */
export const ENDING = '.events.jsonl';

/** The path of a history's index: in the cache, because a history may be a branch, where it does not belong. */
export async function indexFile(cache: string, folder: string): Promise<string> {
  const place = await realpath(folder).catch(() => folder);
  return join(cache, 'history', `${createHash('sha256').update(place).digest('hex').slice(0, 20)}.sqlite`);
}

/**
 * The runs of a history, the oldest first; none if the folder does not exist. `index` is an SQLite file that caches the
 * content of the files: one whose size and time are known is not read, one whose content is known is not parsed. A
 * damaged index, one of another version, or one that cannot be written is rebuilt or ignored.
 * @throws ConfigError that names every file that is not a run of a known version, or repeats the run of another file.
 * Then nothing has been changed.
 */
export async function readHistory(folder: string, index: string): Promise<HistoryNight[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ENDING)).sort();
  if (names.length === 0) return [];
  using database = openIndex(index);
  const known = new Map(
    (database.prepare('SELECT file, bytes, mtime, sha256, night FROM nights').all() as unknown as Row[]).map((row) => [
      row.file,
      row,
    ]),
  );
  const problems: string[] = [];
  const fresh: Row[] = [];
  const nights: HistoryNight[] = [];
  for (const name of names) {
    const file = join(folder, name);
    try {
      const { row, night } = await rowOf(file, name, known.get(name));
      if (row !== known.get(name)) fresh.push(row);
      nights.push({ file, night });
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  problems.push(...doubled(nights));
  remember(
    database,
    fresh,
    [...known.keys()].filter((name) => !names.includes(name)),
  );
  if (problems.length > 0)
    throw new ConfigError(`cannot read the history ${folder}: ${problems.join('\n')}`, {
      hint: 'Nothing was changed. Move these files out of the folder, or read them with the harness that wrote them.',
    });
  return nights.sort((a, b) => Date.parse(a.night.startedAt) - Date.parse(b.night.startedAt));
}

interface Row {
  readonly file: string;
  readonly bytes: number;
  /** Milliseconds, with fractions. */
  readonly mtime: number;
  readonly sha256: string;
  /** JSON. */
  readonly night: string;
}

/** The row of a file; `known` itself if nothing has changed. */
async function rowOf(file: string, name: string, known: Row | undefined): Promise<{ row: Row; night: Night }> {
  const { size, mtimeMs } = await stat(file);
  const remembered = known && nightIn(known);
  if (remembered && known.bytes === size && known.mtime === mtimeMs) return { row: known, night: remembered };
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  // A freshly checked-out branch has other times but the same contents.
  const same = known?.sha256 === sha256 ? remembered : undefined;
  const night = same ?? parsedNight(bytes, file);
  return { row: { file: name, bytes: size, mtime: mtimeMs, sha256, night: JSON.stringify(night) }, night };
}

/**
 * @throws Error naming the file if it is not a run, or one that has not ended: then it was cut short, because only
 * finished runs are added.
 */
function parsedNight(bytes: Uint8Array, file: string): Night {
  const { events } = parseEvents(bytes, file);
  if (!events.some(({ type }) => type === 'run.finished'))
    throw new ConfigError(`cannot read ${file}: it has not ended: the file was cut short`);
  return nightOf(foldEvents(events));
}

function nightIn({ night }: Row): Night | undefined {
  try {
    return JSON.parse(night) as Night;
  } catch {
    return undefined;
  }
}

function doubled(nights: readonly HistoryNight[]): string[] {
  const files = Map.groupBy(nights, ({ night }) => night.run);
  return [...files].flatMap(([run, held]) =>
    held.length > 1 ? [`the run ${run} is in ${held.map(({ file }) => file).join(' and in ')}`] : [],
  );
}

function remember(database: DatabaseSync, fresh: readonly Row[], gone: readonly string[]): void {
  if (fresh.length === 0 && gone.length === 0) return;
  const put = database.prepare('INSERT OR REPLACE INTO nights VALUES (?, ?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM nights WHERE file = ?');
  database.exec('BEGIN');
  for (const { file, bytes, mtime, sha256, night } of fresh) put.run(file, bytes, mtime, sha256, night);
  for (const name of gone) remove.run(name);
  database.exec('COMMIT');
}

/** A usable index: the file's, a new one in its place, or one in memory if no file can be written. */
function openIndex(file: string): DatabaseSync {
  try {
    makeFolder(dirname(file));
    return prepared(file);
  } catch {
    try {
      for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(`${file}${ending}`, { force: true });
      return prepared(file);
    } catch {
      return prepared(':memory:');
    }
  }
}

/** @throws Error if the file is not a database of this version. */
function prepared(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 10_000 });
  try {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version !== 0 && version !== NIGHT_VERSION) throw new Error(`the index is of version ${version}`);
    if (version === 0)
      database.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${NIGHT_VERSION};
        CREATE TABLE IF NOT EXISTS nights
          (file TEXT PRIMARY KEY, bytes INTEGER, mtime REAL, sha256 TEXT, night TEXT) STRICT;
        COMMIT`);
    // Finds a damaged page here and not in the middle of later work.
    const { quick_check: found } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (found !== 'ok') throw new Error(found);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
