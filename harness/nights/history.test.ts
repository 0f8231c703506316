import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addToHistory, runOfCommit } from './history.ts';
import { type HistoryNight, readHistory as read } from './history-index.ts';

const fixture = join(import.meta.dirname, '../../reports/fixtures/events.jsonl');
const text = await readFile(fixture, 'utf8');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-history-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Every test has an index of its own. */
const readHistory = (history: string): Promise<HistoryNight[]> => read(history, join(folder, 'index.sqlite'));

/** Writes the fixture's run under another name, as if it had been made of another commit at another time. */
async function runFile(run: string, change: object = {}): Promise<string> {
  const [first, ...rest] = text.split('\n');
  const file = join(folder, `${run.replaceAll('/', '_')}.jsonl`);
  await writeFile(file, [JSON.stringify({ ...JSON.parse(first!), run, ...change }), ...rest].join('\n'));
  return file;
}

test('runs are kept unchanged, once each, and listed in order of time', async () => {
  const history = join(folder, 'history');
  const late = await runFile('late', { at: '2026-05-01T00:00:00.000Z' });
  const early = await runFile('early', { at: '2026-01-01T00:00:00.000Z' });
  expect((await addToHistory(history, late)).added).toBe(true);
  expect((await addToHistory(history, early)).added).toBe(true);
  expect((await addToHistory(history, late)).added).toBe(false);
  const runs = await readHistory(history);
  expect(runs.map(({ night }) => night.run)).toEqual(['early', 'late']);
  expect(await readFile(runs[1]!.file, 'utf8')).toBe(await readFile(late, 'utf8'));
});

test('another run of the same name, and one that has not ended, are refused', async () => {
  const history = join(folder, 'history');
  await addToHistory(history, await runFile('r'));
  await expect(addToHistory(history, await runFile('r', { jobs: 99 }))).rejects.toThrow('is another run');
  const cut = await runFile('cut');
  await writeFile(cut, (await readFile(cut, 'utf8')).split('\n').slice(0, 20).join('\n').concat('\n'));
  await expect(addToHistory(history, cut)).rejects.toThrow('it has not ended');
  expect(await readHistory(history)).toHaveLength(1);
});

test('a run name from a file cannot lead out of the history', async () => {
  const { file } = await addToHistory(join(folder, 'history'), await runFile('../../etc/x'));
  expect(file).toBe(join(folder, 'history', '-..-etc-x.events.jsonl'));
});

test('a damaged file is an error that names it, and a missing history is empty', async () => {
  expect(await readHistory(join(folder, 'none'))).toEqual([]);
  await copyFile(fixture, join(folder, 'x.events.jsonl'));
  await writeFile(join(folder, 'y.events.jsonl'), 'no json\n');
  await expect(readHistory(folder)).rejects.toThrow('y.events.jsonl:1: the line is no JSON');
});

test('the newest run of a commit, by any name of it, without runs of uncommitted changes', async () => {
  const git = (...args: string[]) =>
    execa('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args]);
  await git('init', '-q');
  await git('commit', '-q', '--allow-empty', '-m', 'one');
  const { stdout: sha } = await git('rev-parse', 'HEAD');
  await git('tag', 'v1');
  const history = join(folder, 'history');
  const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
  await addToHistory(history, await runFile('a', { at: at(1), git: { sha, dirty: false } }));
  await addToHistory(history, await runFile('b', { at: at(2), git: { sha, dirty: false } }));
  await addToHistory(history, await runFile('c', { at: at(3), git: { sha, dirty: true } }));
  const runs = await readHistory(history);
  for (const ref of ['v1', 'HEAD', sha.slice(0, 10)])
    expect(await runOfCommit(folder, runs, ref), ref).toBe(join(history, 'b.events.jsonl'));
  for (const ref of ['v2', '--help', 'HEAD~5']) expect(await runOfCommit(folder, runs, ref), ref).toBeUndefined();
});
