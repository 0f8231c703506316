import { readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSource } from '../source/tree.ts';
import { tempFiles } from '../testing/temp-files.ts';
import { thisHost } from '../testing/this-host.ts';
import { copySource } from './workspace.ts';

const options = { scale: 1, signal: new AbortController().signal, progress: () => {} };

test('a source is copied completely, then only changes; files that the machine made stay', async () => {
  await using project = await tempFiles({ 'a.c': 'one', 'sub/b.c': 'two', '-x': 'dash', 'run.sh': 'echo' });
  await symlink('sub/b.c', join(project.folder, 'link'));
  await using host = await thisHost();
  const there = join(host.folder, 'source');
  const first = await readSource(project.folder, 2 ** 20);
  await copySource(host.target, host.workspace, first, undefined, options);
  expect((await readdir(there, { recursive: true })).sort()).toEqual(['-x', 'a.c', 'link', 'run.sh', 'sub', 'sub/b.c']);
  expect(await readFile(join(there, 'link'), 'utf8')).toBe('two');

  await writeFile(join(there, 'a.o'), 'made there');
  const made = (await stat(join(there, 'a.o'))).mtimeMs;
  await writeFile(join(project.folder, 'a.c'), 'three');
  await rm(join(project.folder, 'sub/b.c'));
  const changes = await copySource(
    host.target,
    host.workspace,
    await readSource(project.folder, 2 ** 20),
    first.entries,
    options,
  );
  expect(changes).toEqual({ changed: ['a.c'], removed: ['sub/b.c'] });
  expect(await readFile(join(there, 'a.c'), 'utf8')).toBe('three');
  expect(await readFile(join(there, 'a.o'), 'utf8')).toBe('made there');
  expect(await readdir(join(there, 'sub'))).toEqual([]);
  // Newer than what was made of it, for make.
  expect((await stat(join(there, 'a.c'))).mtimeMs).toBeGreaterThanOrEqual(made);
});

test('nothing is sent if nothing changed', async () => {
  await using project = await tempFiles({ a: '1' });
  const tree = await readSource(project.folder, 2 ** 20);
  const never = { exec: () => Promise.reject(new Error('asked')) } as never;
  await copySource(never, { base: '/nowhere', user: 'nobody' }, tree, tree.entries, options);
});

test('a file that is removed meanwhile is an error that names it', async () => {
  await using project = await tempFiles({ a: '1', b: '2' });
  await using host = await thisHost();
  const tree = await readSource(project.folder, 2 ** 20);
  await rm(join(project.folder, 'b'));
  await expect(copySource(host.target, host.workspace, tree, undefined, options)).rejects.toThrow(
    /cannot pack .*b: Cannot stat/,
  );
});
