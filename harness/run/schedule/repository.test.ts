import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { gitState, pathsInRepository } from './repository.ts';

async function stateOf(folder: string) {
  const warnings: string[] = [];
  const state = await gitState(folder, (message) => void warnings.push(message));
  return { state, warnings };
}

test('a repository that git refuses is named once, with what git says and how to allow it', async () => {
  await using files = await tempFiles({ 'sub/suites/web/suite.yaml': '' });
  await execa('git', ['init', '--quiet', files.folder]);
  // git's own means to test this, and no exception of whoever runs the test.
  vi.stubEnv('GIT_TEST_ASSUME_DIFFERENT_OWNER', '1');
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  const { state, warnings } = await stateOf(join(files.folder, 'sub'));
  const inRepository = await pathsInRepository(join(files.folder, 'sub'));
  vi.unstubAllEnvs();
  expect(state).toBeUndefined();
  expect(warnings).toEqual([
    `the commit of ${files.folder} is not recorded: fatal: detected dubious ownership in repository at '${files.folder}'. Allow it: git config --global --add safe.directory ${files.folder}`,
  ]);
  expect(inRepository(join(files.folder, 'sub/suites/web'))).toBe('sub/suites/web');
});

test('a repository without git, and one that is damaged', async () => {
  await using files = await tempFiles({ '.git': 'nonsense' });
  expect((await stateOf(files.folder)).warnings).toEqual([expect.stringContaining('is not recorded: fatal: ')]);
  vi.stubEnv('PATH', files.folder);
  const { warnings } = await stateOf(files.folder);
  vi.unstubAllEnvs();
  expect(warnings).toEqual([`the commit of ${files.folder} is not recorded: git is not installed`]);
});

test('a folder is named as its repository has it', async () => {
  await using files = await tempFiles({ 'sub/suites/web/suite.yaml': '' });
  await execa('git', ['init', '--quiet', files.folder]);
  const project = join(files.folder, 'sub');
  const inRepository = await pathsInRepository(project);
  expect(inRepository(join(project, 'suites/web'))).toBe('sub/suites/web');
  expect(inRepository(join(files.folder, 'other/web'))).toBe('other/web');
  expect(inRepository('/usr/lib/node_modules/multiarch-harness/suites/web')).toBeUndefined();
  expect(inRepository(join(project, 'node_modules/multiarch-harness/suites/web'))).toBeUndefined();
  // A repository without a commit.
  expect(await stateOf(project)).toEqual({ state: undefined, warnings: [] });
  await execa('git', [
    '-C',
    files.folder,
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@b',
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    'a',
  ]);
  expect(await stateOf(project)).toEqual({
    state: { sha: expect.stringMatching(/^[0-9a-f]{40}$/), dirty: false },
    warnings: [],
  });
});

test('where there is no repository, as the project has it', async () => {
  await using files = await tempFiles();
  expect(await stateOf(files.folder)).toEqual({ state: undefined, warnings: [] });
  const inRepository = await pathsInRepository(files.folder);
  expect(inRepository(join(files.folder, 'suites/web'))).toBe('suites/web');
  expect(inRepository('/usr/share/suites/web')).toBeUndefined();
});
