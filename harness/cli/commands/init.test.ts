import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';

const main = join(import.meta.dirname, '../main.ts');

async function init(folder: string, ...args: string[]) {
  return execa(process.execPath, [main, 'init', ...args], { cwd: folder, reject: false, all: true });
}

test('where the project does not have the package, the next line installs it first', async () => {
  await using files = await tempFiles();
  const { all, exitCode } = await init(files.folder);
  expect(exitCode, all).toBe(0);
  expect(all.split('\n').at(-1)).toBe(
    'next: npm install --save-dev git+https://github.com/multiarch-harness/multiarch-harness && npx harness run',
  );
});

test.each([
  ['.', 'package.json'],
  ['below', '../package.json'],
])('in %s of a project that has it, the next line is the run', async (folder) => {
  await using files = await tempFiles({ 'package.json': '{"devDependencies": {"multiarch-harness": "file:x.tgz"}}' });
  const { all, exitCode } = await init(files.folder, folder);
  expect(exitCode, all).toBe(0);
  expect(all).toContain('\n\nnext: npx harness run\n'.trimEnd());
});

test('what a run would refuse is said before it is recommended', async () => {
  const compose = 'version: "3.7"\nservices: { front: { image: "nginx:1", env_file: .env } }\n';
  await using files = await tempFiles({ 'compose.yaml': compose, '.env': 'A=1\n' });
  const { all, exitCode } = await init(files.folder, '--compose', 'compose.yaml');
  expect(exitCode, all).toBe(0);
  expect(await readdir(files.folder)).toContain('suites');
  expect(all).toMatch(/\n\nmend this first: cannot read suites\/stack\/compose.yaml: Compose .* refuses it:\n.*\.env/);
});
