import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { initProject } from './init.ts';
import { loadMatrix, loadSuites } from './load.ts';
import { findProject } from './project.ts';
import { rejection, tempFiles } from './temp-files.ts';

test('what it writes can be loaded, and each file names its schema', async () => {
  await using files = await tempFiles();
  const written = await initProject(files.folder);
  expect(written).toEqual([
    'matrices/first.yaml',
    'suites/hello/suite.yaml',
    'suites/hello/hello.scenario.ts',
    'suites/hello/hello.bench.ts',
  ]);
  const project = await findProject(files.folder);
  const matrix = await loadMatrix(join(project.matrices, 'first.yaml'));
  expect([...(await loadSuites(matrix, [project.suites])).keys()]).toEqual(['hello']);
  expect((await readFile(join(files.folder, 'suites/hello/suite.yaml'), 'utf8')).split('\n')[0]).toBe(
    '# yaml-language-server: $schema=../../node_modules/multiarch-harness/harness/config/schemas/suite.schema.json',
  );
});

test('an existing file is left alone, and nothing is written beside it', async () => {
  await using files = await tempFiles({ 'suites/hello/suite.yaml': 'mine' });
  expect(await rejection(initProject(files.folder))).toBe(
    'cannot write a first project: suites/hello/suite.yaml exists already',
  );
  expect(await readdir(files.folder)).toEqual(['suites']);
  expect(await readFile(join(files.folder, 'suites/hello/suite.yaml'), 'utf8')).toBe('mine');
});
