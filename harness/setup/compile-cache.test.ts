import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';

const program = join(import.meta.dirname, 'harness.mjs');
// vitest has Node keep nothing while it measures coverage.
const CLEAN = { NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined };
const version = (env: Record<string, string>) =>
  execa(process.execPath, [program, '--version'], { env: { ...CLEAN, ...env } });

test('what Node compiled is kept in the cache of the harness', async () => {
  await using cache = await tempFiles();
  await version({ HARNESS_CACHE: cache.folder });
  expect(await readdir(join(cache.folder, 'node'))).toHaveLength(1);
});

test('a cache that nobody can write to is no error', async () => {
  await using cache = await tempFiles({ file: '' });
  const { exitCode, stderr } = await version({ HARNESS_CACHE: join(cache.folder, 'file') });
  expect([exitCode, stderr]).toEqual([0, '']);
});

test('a folder that somebody has chosen stays', async () => {
  await using cache = await tempFiles();
  await version({ HARNESS_CACHE: cache.folder, NODE_COMPILE_CACHE: join(cache.folder, 'own') });
  expect(await readdir(cache.folder)).toEqual(['own']);
});
