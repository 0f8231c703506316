import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { indexFile, readHistory } from './history-index.ts';

const text = await readFile(join(import.meta.dirname, '../../reports/fixtures/events.jsonl'), 'utf8');
let clock = 1_600_000_000;
let folder: string;
let history: string;
let index: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-index-'));
  history = join(folder, 'history');
  index = join(folder, 'cache', 'index.sqlite');
  await mkdir(history);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A run of the history, with another name and other changes of its first event. */
async function add(run: string, change: object = {}, edit = (rest: string) => rest): Promise<string> {
  const [first, ...rest] = text.split('\n');
  const file = join(history, `${run}.events.jsonl`);
  await writeFile(file, [JSON.stringify({ ...JSON.parse(first!), run, ...change }), edit(rest.join('\n'))].join('\n'));
  // Whole seconds, which can be set again.
  await utimes(file, clock, ++clock);
  return file;
}

/** Other bytes of the same length and time: reading the file fails, trusting the index does not. */
async function spoil(file: string): Promise<void> {
  const { atime, mtime, size } = await stat(file);
  await writeFile(file, 'x'.repeat(size));
  await utimes(file, atime, mtime);
}

const names = async () => (await readHistory(history, index)).map(({ night }) => night.run);

test('a known file is not read again, and a new, changed or removed one is noticed', async () => {
  const [a, b] = [await add('a'), await add('b')];
  expect(await names()).toEqual(['a', 'b']);
  await spoil(a);
  expect(await names()).toEqual(['a', 'b']);
  await rm(b);
  await add('c');
  expect(await names()).toEqual(['a', 'c']);
  await add('c', { at: '2020-01-01T00:00:00.000Z' });
  expect(await names()).toEqual(['c', 'a']);
});

test('a file with another time and the same contents is not parsed again', async () => {
  const a = await add('a');
  await names();
  const database = new DatabaseSync(index);
  database.exec(`UPDATE nights SET night = replace(night, '"run":"a"', '"run":"remembered"')`);
  database.close();
  await utimes(a, 1_700_000_000, 1_700_000_000);
  expect(await names()).toEqual(['remembered']);
});

test.each([
  ['damaged', async () => writeFile(index, 'SQLite format 3\0 and no more')],
  ['cut short', async () => writeFile(index, (await readFile(index)).subarray(0, 5000))],
  ['no database', async () => writeFile(index, 'hello')],
  [
    'of a newer version',
    async () => {
      const database = new DatabaseSync(index);
      database.exec('PRAGMA user_version = 99; DROP TABLE nights');
      database.close();
    },
  ],
  [
    'full of something else',
    async () => {
      const database = new DatabaseSync(index);
      database.exec(`UPDATE nights SET night = '{'`);
      database.close();
    },
  ],
])('an index that is %s is made anew', async (_what, harm) => {
  const a = await add('a');
  await names();
  await harm();
  expect(await names()).toEqual(['a']);
  // And it is one again.
  await spoil(a);
  expect(await names()).toEqual(['a']);
});

test('it works without a place for an index', async () => {
  await add('a');
  index = join('/dev/null', 'index.sqlite');
  expect(await names()).toEqual(['a']);
});

test('every file that is not a run of a known version is named, and nothing is changed', async () => {
  await add('good');
  const newer = join(history, 'newer.events.jsonl');
  await writeFile(newer, text.replaceAll('"v":1', '"v":2'));
  const torn = await add('torn', {}, (rest) => rest.slice(0, 3000));
  await writeFile(join(history, 'mixed.events.jsonl'), text.replace('"v":1', '"v":0'));
  const before = await Promise.all((await readdir(history)).map((name) => readFile(join(history, name), 'utf8')));
  const error = await readHistory(history, index).catch((error: Error) => error);
  expect(error).toMatchObject({ name: 'ConfigError', hint: expect.stringContaining('Nothing was changed') });
  expect((error as Error).message).toContain(
    `${newer}:1: a newer harness wrote it (events version 2, this one reads 1)`,
  );
  expect((error as Error).message).toContain('mixed.events.jsonl:2: events of version 1 behind some of version 0');
  expect((error as Error).message).toContain(`${torn}: it has not ended`);
  expect(await Promise.all((await readdir(history)).map((name) => readFile(join(history, name), 'utf8')))).toEqual(
    before,
  );
  for (const name of ['newer', 'mixed', 'torn']) await rm(join(history, `${name}.events.jsonl`));
  expect(await names()).toEqual(['good']);
});

test('a run in two files is an error that names both', async () => {
  const a = await add('a');
  await writeFile(join(history, 'copy.events.jsonl'), await readFile(a));
  await expect(names()).rejects.toThrow(`the run a is in ${a} and in ${join(history, 'copy.events.jsonl')}`);
});

test('a bad figure has a reason, and no other figure is lost', async () => {
  const lines = text.split('\n');
  const [first, second] = lines.flatMap((line, at) => (line.includes('"type":"benchmark.finished"') ? [at] : []));
  const samples = /"samplesMs":\[[^\]]*\]/;
  await add('bad', {}, (rest) => {
    const edited = rest.split('\n');
    edited[first! - 1] = edited[first! - 1]!.replace(samples, '"samplesMs":[1,null,3]');
    edited[second! - 1] = edited[second! - 1]!.replace(samples, '"samplesMs":[]');
    return edited.join('\n');
  });
  const nights = await readHistory(history, index);
  const figures = nights[0]!.night.cells.flatMap((cell) => cell.figures);
  expect(figures.flatMap(({ problem }) => problem ?? [])).toEqual(['a sample is no number', 'it has no samples']);
  expect(figures.filter(({ median }) => median !== undefined).length).toBe(figures.length - 2);
});

test('two folders have two indexes, and one folder has one, whatever its path', async () => {
  const other = join(folder, 'other');
  await mkdir(other);
  expect(await indexFile('/cache', history)).toBe(await indexFile('/cache', `${history}/../history/`));
  expect(await indexFile('/cache', history)).not.toBe(await indexFile('/cache', other));
});

test('a missing folder has no runs, and makes no index', async () => {
  expect(await readHistory(join(folder, 'none'), index)).toEqual([]);
  await expect(stat(index)).rejects.toThrow('ENOENT');
});
