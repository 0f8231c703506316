import { glob, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { makeFolder, namelessFile, placeBelow, replaceFile } from './files.ts';

test('a reader never finds a half-written file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'harness-files-'));
  const file = join(folder, 'memo.json');
  const long = 'x'.repeat(2 ** 20);
  await replaceFile(file, long);
  const read: string[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await replaceFile(file, long);
      read.push(await readFile(file, 'utf8'));
    }),
  );
  expect(new Set(read.map(({ length }) => length))).toEqual(new Set([2 ** 20]));
  expect(await readdir(folder)).toEqual(['memo.json']);
  await rm(folder, { recursive: true });
});

test.each([
  ['/project/matrices/a.yaml', 'matrices/a.yaml'],
  // Of the folder's, wherever this process is.
  ['matrices/a.yaml', 'matrices/a.yaml'],
  ['/project', ''],
  ['/project/..a/b', '..a/b'],
  ['/projects/a.yaml', undefined],
  ['../a.yaml', undefined],
  ['/', undefined],
])('where %s is below a folder', (path, place) => {
  expect(placeBelow('/project', path)).toBe(place);
});

test('a program can reopen a nameless file that is its input, and the file is in no folder', async () => {
  await using files = await tempFiles();
  // A folder of its own: in the common one another process may be just about to make such a file.
  vi.stubEnv('TMPDIR', files.folder);
  const making = namelessFile('two\nlines\n');
  vi.unstubAllEnvs();
  await using file = await making;
  const { stdout } = await execa('cat', ['/dev/stdin', '/dev/stdin'], { stdin: file.fd as 0 });
  expect(stdout).toBe('two\nlines\ntwo\nlines');
  expect(await readdir(files.folder)).toEqual([]);
});

test('a folder is made with its parents; where none can be, the system says why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'harness-files-'));
  makeFolder(join(folder, 'a/b/c'));
  makeFolder(join(folder, 'a/b/c'));
  expect(await readdir(join(folder, 'a/b'))).toEqual(['c']);
  await writeFile(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(folder, 'file/below'))).toThrow('ENOTDIR');
  expect(() => makeFolder('/proc/nosuch/folder')).toThrow('ENOENT');
  await rm(folder, { recursive: true });
});

// A path comes from a user sooner or later, and for one below /proc Node's own way never returns.
test('folders with parents are made by makeFolder everywhere', async () => {
  const root = join(import.meta.dirname, '../..');
  const found: string[] = [];
  for await (const file of glob('{harness,reports}/**/*.ts', { cwd: root })) {
    if (/\.test\.ts$|^harness\/(?:setup|testing)\//.test(file)) continue;
    if (/mkdir(?:Sync)?\([^;]*recursive: true/.test(await readFile(join(root, file), 'utf8'))) found.push(file);
  }
  expect(found).toEqual([]);
});
