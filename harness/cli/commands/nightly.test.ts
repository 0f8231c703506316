import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';

const main = join(import.meta.dirname, '../main.ts');

test.each([
  [{}, 'error: no matrix was named, and the project has no suites'],
  [{ 'matrices/first.yaml': 'archs: [amd64]' }, 'error: matrices/first.yaml:1:1: unknown key "archs"'],
  [{ 'matrices/first.yaml': '', 'matrices/nightly.yaml': 'archs: [amd64]' }, 'error: matrices/nightly.yaml:1:1: '],
])("in a project of %j the package's own nightly matrix is not run", async (project, said) => {
  await using files = await tempFiles({ ...project, '.git/HEAD': '' });
  const { exitCode, stderr } = await execa(process.execPath, [main, 'nightly'], { cwd: files.folder, reject: false });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(said);
});
