import { expect, test } from 'vitest';
import { readSource } from '../source/tree.ts';
import { tempFiles } from '../testing/temp-files.ts';
import { thisHost } from '../testing/this-host.ts';
import { runSetUp } from './set-up.ts';
import { copySource } from './workspace.ts';

const options = { scale: 1, signal: new AbortController().signal, progress: () => {} };

async function setUpWith(commands: readonly string[]) {
  await using project = await tempFiles({ read: '1', 'sub/also read': '2', 'not read': '3', script: 'cat read' });
  await using host = await thisHost();
  const tree = await readSource(project.folder, 2 ** 20);
  await copySource(host.target, host.workspace, tree, undefined, options);
  const argvs = commands.map((command) => ['sh', '-c', command]);
  return await runSetUp(host.target, host.workspace, tree.entries, { commands: argvs, seconds: 60, env: {} }, options);
}

test('exactly the files that a set-up reads are recorded', async () => {
  expect(await setUpWith(['sh ./script >made', 'cat "sub/also read" made'])).toEqual([
    'read',
    'script',
    'sub/also read',
  ]);
});

test('a set-up without commands reads nothing', async () => {
  expect(await setUpWith([])).toEqual([]);
});

test('a failing command is named, with its output', async () => {
  await expect(setUpWith(['echo preparing', 'echo broken >&2; exit 4'])).rejects.toThrow(
    'cannot set the source up: `sh -c echo broken >&2; exit 4` exited with 4',
  );
});
