import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { checkoutCommit } from './checkout.ts';

const folder = await mkdtemp(join(tmpdir(), 'checkout-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const repository = join(folder, 'repository');
const git = async (...args: string[]) => (await execa('git', ['-C', repository, ...args], { stdin: 'ignore' })).stdout;

test('the files of a commit are put beside the working tree, with no trace in the repository', async () => {
  await mkdir(join(repository, 'tests/suites'), { recursive: true });
  await execa('git', ['init', '--quiet', repository]);
  const commit = async (text: string) => {
    await writeFile(join(repository, 'tests/suites/a.ts'), text);
    await git('add', '.');
    await git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--message', text);
    return git('rev-parse', 'HEAD');
  };
  await writeFile(join(repository, '.gitattributes'), 'tests export-ignore\n');
  const [first] = [await commit('one'), await commit('two')];
  await writeFile(join(repository, 'tests/suites/a.ts'), 'three');
  await git('add', '.');
  const before = await git('status', '--porcelain');

  const project = await checkoutCommit(join(repository, 'tests'), first!, join(folder, 'base'));
  expect(project).toBe(join(folder, 'base/tests/'));
  expect(await readFile(join(project, 'suites/a.ts'), 'utf8')).toBe('one');
  expect(await git('status', '--porcelain')).toBe(before);
  expect(await git('worktree', 'list', '--porcelain')).not.toContain('base');
  expect((await readdir(folder)).sort()).toEqual(['base', 'repository']);
});

test('a missing commit, and a folder outside a repository, are errors', async () => {
  await expect(checkoutCommit(repository, '0'.repeat(40), join(folder, 'none'))).rejects.toMatchObject({
    message: `cannot get the files of ${'0'.repeat(40)}: this repository does not have that commit`,
    hint: expect.stringContaining('fetch-depth: 0'),
  });
  await expect(checkoutCommit(folder, 'HEAD', join(folder, 'none'))).rejects.toThrow('is in no git repository');
});
