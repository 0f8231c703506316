import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { rejection, tempFiles } from '../testing/temp-files.ts';
import { readSource } from './tree.ts';

const git = (folder: string, ...args: string[]) =>
  execa('git', [
    '-C',
    folder,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@example.org',
    '-c',
    'protocol.file.allow=always',
    ...args,
  ]);
const pathsOf = async (folder: string) => (await readSource(folder, 2 ** 20)).entries.map(({ path }) => path);

test('the source is the files that git tracks or does not ignore, as they are in the folder', async () => {
  await using files = await tempFiles({
    '.gitignore': '*.o\nbuild/\n.harness/\n',
    'a.c': 'a',
    'gone.c': 'gone',
    'new file.c': 'not added yet',
    'a.o': 'ignored',
    'build/x': 'ignored',
    '-dash': 'a name that looks like an option',
  });
  await git(files.folder, 'init', '--quiet');
  await git(files.folder, 'add', '.gitignore', 'a.c', 'gone.c');
  await git(files.folder, 'commit', '--quiet', '--message', 'one');
  await rm(join(files.folder, 'gone.c'));
  expect(await pathsOf(files.folder)).toEqual(['-dash', '.gitignore', 'a.c', 'new file.c']);
});

test('a folder in a repository is a source of its own', async () => {
  await using files = await tempFiles({ 'sub/a': '1', 'sub/deep/b': '2', c: '3' });
  await git(files.folder, 'init', '--quiet');
  expect(await pathsOf(join(files.folder, 'sub'))).toEqual(['a', 'deep/b']);
});

test('submodules and nested repositories come with their files', async () => {
  await using files = await tempFiles({ 'library/lib.c': 'lib', 'project/main.c': 'main', 'project/nested/n.c': 'n' });
  const project = join(files.folder, 'project');
  for (const folder of [join(files.folder, 'library'), join(project, 'nested'), project])
    await git(folder, 'init', '--quiet');
  await git(join(files.folder, 'library'), 'add', '.');
  await git(join(files.folder, 'library'), 'commit', '--quiet', '--message', 'lib');
  await git(project, 'submodule', '--quiet', 'add', join(files.folder, 'library'), 'third/library');
  expect(await pathsOf(project)).toEqual(['.gitmodules', 'main.c', 'nested/n.c', 'third/library/lib.c']);
});

test('without git it is everything except the folders of the harness', async () => {
  await using files = await tempFiles({ 'a/b': '1', '.harness/runs/x': 'a report', '.hidden': '2' });
  expect(await pathsOf(files.folder)).toEqual(['.hidden', 'a/b']);
});

test('a digest depends on content, mode and kind', async () => {
  await using files = await tempFiles({ a: 'same', b: 'same', c: 'other', d: 'same' });
  await chmod(join(files.folder, 'b'), 0o755);
  await symlink('same', join(files.folder, 'e'));
  const digests = new Map((await readSource(files.folder, 2 ** 20)).entries.map(({ path, digest }) => [path, digest]));
  expect(digests.get('a')).toBe(digests.get('d'));
  expect(new Set(digests.values()).size).toBe(4);
});

test('links that stay inside are copied as links; links that lead out, and special files, are named', async () => {
  await using files = await tempFiles({ 'deep/a': '1' });
  for (const [to, path] of [
    ['a', 'deep/inside'],
    ['../deep', 'deep/up'],
    ['../../etc/passwd', 'deep/out'],
    ['/etc/passwd', 'absolute'],
  ])
    await symlink(to!, join(files.folder, path!));
  await execa('mkfifo', [join(files.folder, 'pipe')]);
  const { entries, warnings } = await readSource(files.folder, 2 ** 20);
  expect(entries.map(({ path }) => path)).toEqual(['deep/a', 'deep/inside', 'deep/up']);
  expect(warnings).toEqual([
    'absolute was left out: it is a link to /etc/passwd, outside of the source folder',
    'deep/out was left out: it is a link to ../../etc/passwd, outside of the source folder',
    'pipe was left out: it is neither a file nor a link',
  ]);
});

test('a source that is too large is refused before any of it is read, naming the largest files', async () => {
  await using files = await tempFiles({ small: 'x' });
  await mkdir(join(files.folder, 'data'));
  for (const name of ['data/one', 'data/two']) {
    await writeFile(join(files.folder, name), '');
    await truncate(join(files.folder, name), 2 ** 30);
  }
  expect(await rejection(readSource(files.folder, 256 * 2 ** 20))).toBe(
    `cannot copy the source folder ${files.folder}: it holds 2.0 GiB in 3 files, and at most 256 MiB are copied; largest: data/ 2.0 GiB, small 1 B`,
  );
});

test('a missing or empty source is refused', async () => {
  await using files = await tempFiles({ file: '' });
  expect(await rejection(readSource(join(files.folder, 'no'), 1))).toContain('it does not exist');
  expect(await rejection(readSource(join(files.folder, 'file'), 1))).toContain('it is not a folder');
  await rm(join(files.folder, 'file'));
  expect(await rejection(readSource(files.folder, 1))).toContain('there is nothing in it');
});
