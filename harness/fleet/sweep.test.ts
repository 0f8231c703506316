import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InfraError } from '../base/errors.ts';
import type { AliveRows } from '../engines/engine.ts';
import { tempFiles } from '../testing/temp-files.ts';
import { sweepShared } from './sweep.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const daysAgo = (days: number) => new Date(NOW - days * 86_400_000);
const engineWith = (...tokens: string[]) => ({
  alive: async (asked: readonly string[]) =>
    new Map(
      tokens
        .filter((token) => asked.includes(token))
        .map((token): [string, AliveRows] => [token, new Map([[0, { state: 'running' }]])]),
    ),
});

/** A folder with runs and trees that were touched some days ago. */
async function shared(ages: Readonly<Record<string, number>>) {
  const files = await tempFiles({
    ...Object.fromEntries(Object.keys(ages).map((name) => [`${name}/x`, ''] as const)),
    ...Object.fromEntries(
      Object.keys(ages)
        .filter((name) => name.startsWith('runs/'))
        .map((name) => [`${name}/jobs/0/rows`, ''] as const),
    ),
  });
  for (const [name, age] of Object.entries(ages)) {
    await utimes(join(files.folder, name), daysAgo(age), daysAgo(age));
    if (name.startsWith('runs/')) await utimes(join(files.folder, name, 'jobs'), daysAgo(age), daysAgo(age));
  }
  return files;
}

test('what is old goes, with trees that no run has used since', async () => {
  await using files = await shared({ 'runs/old': 20, 'runs/new': 3, 'trees/old': 20, 'trees/new': 3 });
  const options = { days: 14, now: NOW };
  const wanted = [join(files.folder, 'runs/old'), join(files.folder, 'trees/old')];
  const tried = await sweepShared(files.folder, engineWith(), { ...options, dryRun: true });
  expect(tried).toEqual({ folders: wanted, alive: [], failed: [] });
  expect(await readdir(join(files.folder, 'runs'))).toEqual(['new', 'old']);
  expect((await sweepShared(files.folder, engineWith(), options)).folders).toEqual(wanted);
  expect(await readdir(join(files.folder, 'runs'))).toEqual(['new']);
  expect(await readdir(join(files.folder, 'trees'))).toEqual(['new']);
});

test('a run with a job that is alive stays, however old, and so does every tree', async () => {
  await using files = await shared({ 'runs/going-on': 20, 'runs/old': 20, 'trees/old': 20 });
  const swept = await sweepShared(files.folder, engineWith('going-on-0'), { days: 14, now: NOW });
  expect(swept).toEqual({ folders: [join(files.folder, 'runs/old')], alive: ['going-on'], failed: [] });
  expect(await readdir(join(files.folder, 'runs'))).toEqual(['going-on']);
  expect(await readdir(join(files.folder, 'trees'))).toEqual(['old']);
});

test('nothing goes while the engine does not say what is alive, and nothing there is nothing to remove', async () => {
  await using files = await shared({ 'runs/old': 20 });
  const down = { alive: () => Promise.reject(new InfraError('it does not answer')) };
  await expect(sweepShared(files.folder, down, { days: 14, now: NOW })).rejects.toThrow('it does not answer');
  expect(await readdir(join(files.folder, 'runs'))).toEqual(['old']);
  expect((await sweepShared(join(files.folder, 'none'), engineWith(), { days: 14 })).folders).toEqual([]);
});
