import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../config/temp-files.ts';
import { gitState, pathsInRepository } from './repository.ts';

test('a folder is named as its repository has it', async () => {
  await using files = await tempFiles({ 'sub/suites/web/suite.yaml': '' });
  await execa('git', ['init', '--quiet', files.folder]);
  const project = join(files.folder, 'sub');
  const inRepository = await pathsInRepository(project);
  expect(inRepository(join(project, 'suites/web'))).toBe('sub/suites/web');
  expect(inRepository(join(files.folder, 'other/web'))).toBe('other/web');
  expect(inRepository('/usr/lib/node_modules/multiarch-harness/suites/web')).toBeUndefined();
  expect(inRepository(join(project, 'node_modules/multiarch-harness/suites/web'))).toBeUndefined();
  expect(await gitState(project)).toBeUndefined();
});

test('where there is no repository, as the project has it', async () => {
  await using files = await tempFiles();
  const inRepository = await pathsInRepository(files.folder);
  expect(inRepository(join(files.folder, 'suites/web'))).toBe('suites/web');
  expect(inRepository('/usr/share/suites/web')).toBeUndefined();
});
