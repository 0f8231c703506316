import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { thisHost } from '../testing/this-host.ts';
import { fetchArtifacts } from './artifacts.ts';
import { fetchFile, listFiles, removeFiles } from './files.ts';

const MS = 60_000;
const FILES = {
  'source/dist/a.whl': 'wheel',
  'source/dist/deep/b.whl': 'deep',
  'source/report.xml': '<x/>',
  'source/a b': '1',
  secret: 'no',
};
const names = async (patterns: string[], host: Awaited<ReturnType<typeof thisHost>>) =>
  (await listFiles(host.target, join(host.folder, 'source'), patterns, MS)).map(({ name }) => name);

test('patterns are relative to the folder, and links are not followed', async () => {
  await using host = await thisHost(FILES);
  await symlink('/etc', join(host.folder, 'source/dist/etc'));
  await symlink(join(host.folder, 'secret'), join(host.folder, 'source/dist/secret.whl'));
  expect(await names(['dist/*.whl'], host)).toEqual(['dist/a.whl']);
  expect(await names(['dist/**/*.whl', 'dist/a.whl'], host)).toEqual(['dist/a.whl', 'dist/deep/b.whl']);
  expect(await names(['report.xml'], host)).toEqual(['report.xml']);
  expect(await names(['*'], host)).toEqual(['a b', 'report.xml']);
  expect(await names(['no/*', 'nothing'], host)).toEqual([]);
  expect(await names([join(host.folder, 'sec*')], host)).toEqual([join(host.folder, 'secret')]);
});

test('a file is fetched in pieces, up to its limit', async () => {
  await using host = await thisHost();
  const content = Buffer.alloc(9 * 2 ** 20, 'abcdefg');
  await writeFile(join(host.folder, 'large'), content);
  await writeFile(join(host.folder, 'empty'), '');
  expect((await fetchFile(host.target, join(host.folder, 'large'), 2 ** 24, MS))?.equals(content)).toBe(true);
  expect(await fetchFile(host.target, join(host.folder, 'large'), 2 ** 20, MS)).toBeUndefined();
  expect((await fetchFile(host.target, join(host.folder, 'empty'), 1, MS))?.byteLength).toBe(0);
  await expect(fetchFile(host.target, join(host.folder, 'no'), 1, MS)).rejects.toThrow('it is not there');
});

test('files are removed by exact name', async () => {
  await using host = await thisHost({ 'a b': '1', '*': '2', c: '3' });
  await removeFiles(host.target, [join(host.folder, 'a b'), join(host.folder, '*')], MS);
  expect((await listFiles(host.target, host.folder, ['**'], MS)).map(({ name }) => name)).toEqual(['c']);
});

test('artifacts arrive under their names; what is missing is said', async () => {
  await using host = await thisHost(FILES);
  const folder = join(host.folder, 'brought');
  await mkdir(folder);
  const patterns = ['dist/**/*.whl', 'coverage/*'];
  const { files, problems } = await fetchArtifacts(host.target, join(host.folder, 'source'), patterns, folder, MS);
  expect(files).toEqual([join(folder, 'dist/a.whl'), join(folder, 'dist/deep/b.whl')]);
  expect(await readFile(join(folder, 'dist/deep/b.whl'), 'utf8')).toBe('deep');
  expect(problems).toEqual(['the artifacts coverage/* are not there: no file matches']);
});

test('a machine cannot name a file out of the folder, nor send more than there is room for', async () => {
  await using host = await thisHost();
  const source = '/srv/harness/source';
  const entries = [
    `5 ${source}/../../etc/cron.d/x`,
    `5 ${source}/a\u001b[31m`,
    `${2 ** 40} ${source}/huge`,
    `5 ${source}//x`,
    'nonsense',
    `5 ${source}/good`,
  ];
  const target = {
    exec: async (argv: readonly string[]) => ({
      exitCode: 0,
      stdout: Buffer.from(argv[3] === 'list' ? entries.join('\0') : 'hello').toString('base64'),
      stderr: '',
      durationMs: 1,
    }),
  } as never;
  const { files, problems } = await fetchArtifacts(target, source, ['**'], join(host.folder, 'brought'), MS);
  expect(files).toEqual([join(host.folder, 'brought/good')]);
  expect(problems).toHaveLength(3);
  expect(problems.join('\n')).toContain('the artifact huge was not brought back: all together are larger than 256 MiB');
});
