import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
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
  (await listFiles(host.target, host.workspace, patterns, MS)).map(({ name }) => name);

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

test('common ways to write patterns', async () => {
  await using host = await thisHost({ ...FILES, 'source/a[1].xml': 'x', 'source/out/r.xml': 'x' });
  expect(await names(['./report.xml'], host)).toEqual(['report.xml']);
  expect(await names(['out//./r.xml', './out/*.xml'], host)).toEqual(['out/r.xml']);
  expect(await names(['a\\[1\\].xml'], host)).toEqual(['a[1].xml']);
  expect(await names(['dist'], host)).toEqual([]);
  expect(await names([join(host.folder, 'secret')], host)).toEqual([join(host.folder, 'secret')]);
  // The root of a machine is not searched for one file.
  expect(await names(['/no-such-file.xml'], host)).toEqual([]);
});

test('nothing is copied from a folder that is a link to elsewhere', async () => {
  await using host = await thisHost({ ...FILES, 'elsewhere/deep/a.whl': 'no' });
  await symlink(join(host.folder, 'elsewhere'), join(host.folder, 'source/link'));
  await symlink('dist', join(host.folder, 'source/inside'));
  expect(await names(['link/deep/*.whl', 'link/**', 'link/deep/a.whl'], host)).toEqual([]);
  expect(await names(['inside/deep/*.whl'], host)).toEqual(['inside/deep/b.whl']);
});

test.runIf(process.getuid?.() === 0)('root reads no more than the user of the workspace', async () => {
  await using host = await thisHost({ ...FILES, 'source/mine/key': 'secret' });
  await chmod(host.folder, 0o755);
  await chmod(join(host.folder, 'source/report.xml'), 0o600);
  await chmod(join(host.folder, 'source/mine'), 0o700);
  const workspace = { ...host.workspace, user: 'nobody' };
  const found = (await listFiles(host.target, workspace, ['**'], MS)).map(({ name }) => name);
  expect(found).toContain('report.xml');
  expect(found).not.toContain('mine/key');
  const at = (name: string) => join(host.folder, 'source', name);
  expect(await fetchFile(host.target, workspace, at('report.xml'), 100, MS)).toEqual({
    why: 'it cannot be read: Permission denied',
  });
  await removeFiles(host.target, workspace, [at('a b')], MS);
  expect(await readFile(at('a b'), 'utf8')).toBe('1');
});

test('a file is fetched in pieces, up to its limit', async () => {
  await using host = await thisHost();
  const content = Buffer.alloc(9 * 2 ** 20, 'abcdefg');
  await writeFile(join(host.folder, 'large'), content);
  await writeFile(join(host.folder, 'empty'), '');
  await symlink('large', join(host.folder, 'link'));
  const fetch = (name: string, most: number) =>
    fetchFile(host.target, host.workspace, join(host.folder, name), most, MS);
  expect(await fetch('large', 2 ** 24).then((one) => 'bytes' in one && one.bytes.equals(content))).toBe(true);
  expect(await fetch('large', 2 ** 20)).toEqual({ why: 'it is too large' });
  expect(await fetch('empty', 1)).toEqual({ bytes: Buffer.alloc(0) });
  expect(await fetch('no', 1)).toEqual({ why: 'it is not there' });
  expect(await fetch('link', 2 ** 24)).toEqual({ why: 'it is not there' });
});

test('files are removed by exact name', async () => {
  await using host = await thisHost({ 'source/a b': '1', 'source/*': '2', 'source/c': '3' });
  const paths = ['a b', '*'].map((name) => join(host.folder, 'source', name));
  await removeFiles(host.target, host.workspace, paths, MS);
  expect(await names(['**'], host)).toEqual(['c']);
});

test('artifacts arrive under their names; missing ones are reported', async () => {
  await using host = await thisHost(FILES);
  const folder = join(host.folder, 'brought');
  await mkdir(folder);
  const patterns = ['dist/**/*.whl', 'coverage/*'];
  const { files, problems } = await fetchArtifacts(host.target, host.workspace, patterns, folder, MS);
  expect(files).toEqual([join(folder, 'dist/a.whl'), join(folder, 'dist/deep/b.whl')]);
  expect(await readFile(join(folder, 'dist/deep/b.whl'), 'utf8')).toBe('deep');
  expect(problems).toEqual(['the artifacts coverage/* are not there: no file matches']);
});

test('a machine cannot name a file outside of the folder, nor send more than the limit', async () => {
  await using host = await thisHost();
  const entries = [
    '5 ./../../etc/cron.d/x',
    '5 ./a\u001b[31m',
    `${2 ** 40} ./huge`,
    '5 .//x',
    '5 /etc/x',
    'nonsense',
    '5 ./good',
    '5 ./good/below-a-file',
    `5 ./${'n'.repeat(300)}`,
  ];
  const target = {
    exec: async (argv: readonly string[]) => ({
      exitCode: 0,
      stdout: Buffer.from(argv.includes('list') ? entries.join('\0') : 'hello').toString('base64'),
      stderr: '',
      durationMs: 1,
    }),
  } as never;
  const { files, problems } = await fetchArtifacts(target, host.workspace, ['**'], join(host.folder, 'brought'), MS);
  expect(files).toEqual([join(host.folder, 'brought/good')]);
  const said = problems.join('\n');
  expect(said).toContain('the artifact huge was not brought back: all together are larger than 256 MiB');
  expect(said).toContain('its name has characters that cannot be printed');
  expect(said).toContain('the artifact good/below-a-file was not brought back: ');
  expect(said).toMatch(/nnn was not brought back: ENAMETOOLONG/);
  expect(said).not.toContain('/etc/x');
});
