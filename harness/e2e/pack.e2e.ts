import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { CHECKOUT, copyCheckout, SYSTEM_PATH } from './checkout-copy.ts';

/** Everything of this test: a copy of the checkout to pack, and somebody's project that installs the tarball. */
const folder = mkdtempSync(join(tmpdir(), 'harness-pack-'));
const source = join(folder, 'source');
const project = join(folder, 'project');

/** A command in the user's project. The Node to run on is named as a user with an older system Node would name it. */
function inProject(program: string, ...args: string[]) {
  const env = { PATH: SYSTEM_PATH, HARNESS_NODE: process.execPath };
  return execa(program, args, { cwd: project, env, all: true, timeout: 10 * 60_000 });
}

beforeAll(async () => {
  copyCheckout(source);
  symlinkSync(join(CHECKOUT, 'node_modules'), join(source, 'node_modules'));
  await execa('npm', ['pack', '--pack-destination', folder, '--silent'], { cwd: source, env: { PATH: SYSTEM_PATH } });

  mkdirSync(join(project, 'matrices'), { recursive: true });
  mkdirSync(join(project, 'suites/mine'), { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'somebody', version: '1.0.0', private: true }));
  writeFileSync(join(project, 'matrices/mine.yaml'), 'arch: [amd64, ppc64le]\nsuite: [mine]\n');
  writeFileSync(join(project, 'suites/mine/suite.yaml'), 'description: The least there can be.\n');
  writeFileSync(
    join(project, 'suites/mine/mine.scenario.ts'),
    "import { expect, test } from 'multiarch-harness';\ntest('is there', () => expect(1).toBe(1));\n",
  );
  const tarball = join(folder, `multiarch-harness-${packageJson.version}.tgz`);
  await inProject('npm', 'install', tarball, '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('packing leaves no dist behind', () => {
  expect(existsSync(join(source, 'dist'))).toBe(false);
});

test('the package holds built files and no tests', async () => {
  const installed = join(project, 'node_modules/multiarch-harness');
  const { stdout } = await execa('find', ['.', '-type', 'f'], { cwd: installed });
  const files = stdout.split('\n');
  expect(files).toEqual(expect.arrayContaining(['./LICENSE', './harness/setup/harness.mjs', './dist/package.json']));
  expect(files).toEqual(
    expect.arrayContaining(['./dist/harness/scenario/index.js', './dist/harness/scenario/index.d.ts']),
  );
  expect(files.filter((file) => /\.(test|e2e)\.|\/e2e\//.test(file))).toEqual([]);
});

test('npx harness --version', async () => {
  const { stdout } = await inProject('npx', '--no-install', 'harness', '--version');
  expect(stdout.trim()).toBe(packageJson.version);
});

test('npx harness list shows the cells of the user’s own matrix', async () => {
  const { stdout } = await inProject('npx', '--no-install', 'harness', 'list', 'matrices/mine.yaml');
  expect(stdout).toContain('amd64/vm/mine');
  expect(stdout).toContain('ppc64le/vm/mine');
});

test('the types of what a suite imports are there', async () => {
  const config = { compilerOptions: { module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] } };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      ...config,
      include: ['suites'],
      compilerOptions: { ...config.compilerOptions, target: 'es2024' },
    }),
  );
  const { all } = await inProject(join(CHECKOUT, 'node_modules/.bin/tsc'), '-p', '.').catch((error) => error);
  expect(all).toBe('');
});
