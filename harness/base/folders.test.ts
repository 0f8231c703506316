import { chmod, mkdir, rm, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { cacheFolder, makeRuntimeFolder, openCache, stateFolder } from './folders.ts';

test('XDG folders are absolute: a relative one is ignored, as the specification says', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/multiarch-harness');
  expect(stateFolder({ XDG_STATE_HOME: '/x' })).toBe('/x/multiarch-harness');
  for (const given of ['x', './x', '~/x', ''])
    expect([cacheFolder({ XDG_CACHE_HOME: given }), stateFolder({ XDG_STATE_HOME: given })], given).toEqual([
      join(homedir(), '.cache/multiarch-harness'),
      join(homedir(), '.local/state/multiarch-harness'),
    ]);
});

test('a cache that cannot be used is an error that says how to choose another one', async () => {
  await using files = await tempFiles({ file: '' });
  openCache(join(files.folder, 'a/b'));
  expect((await stat(join(files.folder, 'a/b'))).isDirectory()).toBe(true);
  for (const [folder, why] of [
    ['/proc/nosuch', 'ENOENT'],
    [join(files.folder, 'file'), 'EEXIST'],
    [join(files.folder, 'file/below'), 'ENOTDIR'],
  ] as const)
    expect(() => openCache(folder)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`cannot use the cache ${folder}: ${why}`),
        hint: 'Point HARNESS_CACHE at a folder that can be written to.',
      }),
    );
});

test.each(['/a b', '/100%h', '/x,y:z', `/${'long'.repeat(40)}`, 'relative', '/nowhere'])(
  'sockets have a short path of harmless letters with TMPDIR=%s',
  async (given) => {
    vi.stubEnv('TMPDIR', given);
    const folder = await makeRuntimeFolder();
    vi.unstubAllEnvs();
    expect(folder).toMatch(/^\/[a-z0-9/-]+\/r\w+$/i);
    expect(folder.length).toBeLessThan(40);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await rm(folder, { recursive: true });
  },
);

test('a folder that is not private is made private, or another one is used', async () => {
  await using files = await tempFiles({ file: '' });
  const at = (name: string) => join(files.folder, name);
  await mkdir(at('open'));
  await chmod(at('open'), 0o777);
  await makeRuntimeFolder([at('open')]);
  expect((await stat(at('open'))).mode & 0o777).toBe(0o700);

  await symlink(files.folder, at('link'));
  const folder = await makeRuntimeFolder([at('link'), at('file'), at('missing/deep'), at('good')]);
  expect(folder.startsWith(`${at('good')}/r`)).toBe(true);
  await expect(makeRuntimeFolder([at('link'), at('file')])).rejects.toThrow(
    `cannot make a folder for sockets: ${at('link')}: it exists and is not a folder; ${at('file')}: it exists`,
  );
});
