import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lock } from '../base/lock.ts';
import { type BuildRequest, cached, listEntries, removeDeadBuilds } from './cache.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'harness-cache-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

const request = (more: Partial<BuildRequest> = {}): BuildRequest => ({
  cache,
  kind: 'disk',
  label: 'arm64 web',
  ingredients: { packages: ['nginx'] },
  needBytes: 2 * 2 ** 30,
  freeBytes: async () => 10 * 2 ** 30,
  ...more,
});
const write = (text: string) => (folder: string) => writeFile(join(folder, 'disk'), text);

test('a finished entry is found again, and other ingredients make another entry', async () => {
  const first = await cached(request(), write('one'));
  const second = await cached(request(), write('two'));
  const other = await cached(request({ ingredients: { packages: ['redis'] } }), write('three'));
  expect([first.hit, second.hit, other.hit]).toEqual([false, true, false]);
  expect(await readFile(join(second.folder, 'disk'), 'utf8')).toBe('one');
  expect((await listEntries(cache)).entries.map(({ key }) => key).sort()).toEqual([first.key, other.key].sort());
});

test('two processes that need the same entry build it once', async () => {
  let builds = 0;
  const build = async (folder: string) => {
    builds += 1;
    await write('one')(folder);
  };
  const both = await Promise.all([cached(request(), build), cached(request(), build)]);
  expect(builds).toBe(1);
  expect(both.map(({ hit }) => hit).sort()).toEqual([false, true]);
});

test('a build that failed or was killed never leaves an entry', async () => {
  const failing = cached(request(), async (folder) => {
    await write('half')(folder);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await readdir(join(cache, 'images'))).toEqual([]);

  const entry = await cached(request(), write('whole'));
  await rm(entry.folder, { recursive: true });
  await mkdir(`${entry.folder}.partial`);
  await write('half, of one that was killed')(`${entry.folder}.partial`);
  expect((await listEntries(cache)).entries).toEqual([]);
  const again = await cached(request(), write('whole again'));
  expect(await readFile(join(again.folder, 'disk'), 'utf8')).toBe('whole again');
  expect((await listEntries(cache)).partial).toEqual([]);
});

test('the next build of anything removes leftovers of dead builds, but not of a running one', async () => {
  for (const name of ['packages-dead', 'base-alive']) {
    await mkdir(join(cache, 'images', `${name}.partial`), { recursive: true });
    await write('half')(join(cache, 'images', `${name}.partial`));
  }
  await using _building = await lock(join(cache, 'locks', 'base-alive'));
  expect((await removeDeadBuilds(cache, { dryRun: true })).folders).toEqual([
    join(cache, 'images', 'packages-dead.partial'),
  ]);
  await cached(request(), write('one'));
  expect((await listEntries(cache)).partial).toEqual([join(cache, 'images', 'base-alive.partial')]);
  expect(await removeDeadBuilds(cache)).toEqual({ folders: [], bytes: 0 });
});

test('a lack of disk space is reported before anything is built, with the required space', async () => {
  let built = false;
  const build = cached(request({ freeBytes: async () => 300 * 2 ** 20 }), async () => {
    built = true;
  });
  await expect(build).rejects.toMatchObject({
    name: 'InfraError',
    message: `cannot build the disk image of arm64 web: it needs 2.0 GiB below ${cache}, and 300 MiB are free`,
    hint: 'Free some space with `harness images gc`, or point HARNESS_CACHE at a larger disk.',
  });
  expect(built).toBe(false);
});

test('a disk that fills up during a build is reported as full', async () => {
  // A device that is always full, so the error is the kernel's own.
  const build = cached(request(), () => writeFile('/dev/full', 'x'));
  await expect(build).rejects.toThrow(
    `cannot build the disk image of arm64 web: it needs 2.0 GiB below ${cache}, and the disk filled up`,
  );
});
