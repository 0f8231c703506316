import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isNewEnough } from '../harness/setup/node-version.mjs';
import packageJson from '../package.json' with { type: 'json' };
import { CHECKOUT, copyCheckout, SYSTEM_PATH } from './support/checkout-copy.ts';

/** The test's folder: a copy of the checkout to pack, and a user's project that installs the tarball. */
const folder = mkdtempSync(join(tmpdir(), 'harness-pack-'));
const source = join(folder, 'source');
const project = join(folder, 'project');

/**
 * Runs a command in a user's project, on the system's Node, which may be too old for the harness itself. The
 * environment does not say where a newer one is.
 */
function inProject(project: string, program: string, ...args: string[]) {
  const env = {
    PATH: SYSTEM_PATH,
    HARNESS_CACHE: join(folder, 'cache'),
    HARNESS_NODE: '',
    NODE_COMPILE_CACHE: undefined,
  };
  return execa(program, args, { cwd: project, env, all: true, timeout: 10 * 60_000 });
}

/** Makes a project that depends on the harness. @returns npm's output of the installation. */
async function install(project: string, from: string): Promise<string> {
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'somebody', version: '1.0.0', private: true }));
  const { all } = await inProject(
    project,
    'npm',
    'install',
    '--save-dev',
    // npm's default log level; the environment may contain another one.
    '--loglevel=warn',
    from,
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  );
  return all;
}

let said = '';
beforeAll(async () => {
  copyCheckout(source);
  symlinkSync(join(CHECKOUT, 'node_modules'), join(source, 'node_modules'));
  await execa('npm', ['pack', '--pack-destination', folder, '--silent'], { cwd: source, env: { PATH: SYSTEM_PATH } });
  said = await install(project, join(folder, `multiarch-harness-${packageJson.version}.tgz`));

  mkdirSync(join(project, 'matrices'), { recursive: true });
  mkdirSync(join(project, 'suites/mine'), { recursive: true });
  writeFileSync(join(project, 'matrices/mine.yaml'), 'arch: [amd64, ppc64le]\nsuite: [mine]\n');
  writeFileSync(join(project, 'suites/mine/suite.yaml'), 'description: The least there can be.\n');
  writeFileSync(
    join(project, 'suites/mine/mine.scenario.ts'),
    "import { expect, test } from 'multiarch-harness';\ntest('is there', () => expect(1).toBe(1));\n",
  );
  writeFileSync(
    join(project, 'suites/reader.ts'),
    `import type { Results, RunResult, StoredEvent } from 'multiarch-harness/results';
export const failed = (run: RunResult) => run.cells.filter((cell) => cell.verdict === 'failed').map((cell) => cell.name);
export const version = (results: Results): 2 => results.schemaVersion;
export const ends = (event: StoredEvent) => (event.type === 'cell.finished' ? event.cell : undefined);
// @ts-expect-error There is no such field, and no type that lets everything pass.
export const wrong = (run: RunResult) => run.colour;
`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('npm installs it without a warning, whatever Node it runs on', () => {
  expect(said.trim()).toMatch(/^added \d+ packages in \S+$/);
});

test('packing leaves the checkout as it was', () => {
  expect(existsSync(join(source, 'dist'))).toBe(false);
  expect(readFileSync(join(source, 'package.json'), 'utf8')).toBe(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
});

test('the package holds built files and no tests', async () => {
  const installed = join(project, 'node_modules/multiarch-harness');
  const { stdout } = await execa('find', ['.', '-type', 'f'], { cwd: installed });
  const files = stdout.split('\n');
  expect(files).toEqual(
    expect.arrayContaining([
      './LICENSE',
      './harness/setup/harness.mjs',
      './dist/package.json',
      './dist/reports/html/page.css',
      './dist/reports/html/page.browser.js',
    ]),
  );
  expect(files).toEqual(
    expect.arrayContaining(['./dist/harness/scenario/index.js', './dist/harness/scenario/index.d.ts']),
  );
  const own = files.filter((file) => !file.startsWith('./dist/node_modules/'));
  expect(own.filter((file) => /\.(test|e2e)\.|\/e2e\//.test(file))).toEqual([]);
  // No native code of the packing machine.
  expect(files.filter((file) => /\.(node|so|o)$/.test(file))).toEqual([]);
});

test('npx harness --version: on an older Node one of its own is fetched, once', async () => {
  const first = await inProject(project, 'npx', '--no-install', 'harness', '--version');
  const old = !isNewEnough((await inProject(project, 'node', '--version')).stdout);
  expect(first.stderr.replaceAll(/\d+\.\d+(\.\d+)?/g, 'N')).toBe(
    old ? 'set-up: Node N, once, because this is N …\nset-up: Node N: installed in N s' : '',
  );
  const { stdout, stderr } = await inProject(project, 'npx', '--no-install', 'harness', '--version');
  expect([stdout, stderr]).toEqual([packageJson.version, '']);
  // Scripts of the project still run on their own Node.
  expect(existsSync(join(project, 'node_modules/.bin/node'))).toBe(false);
});

test('npx harness list shows the cells of the user’s own matrix', async () => {
  const { stdout } = await inProject(project, 'npx', '--no-install', 'harness', 'list', 'matrices/mine.yaml');
  expect(stdout).toContain('amd64/vm/mine');
  expect(stdout).toContain('ppc64le/vm/mine');
});

test('the types of what a suite imports are there, and of the files that a run leaves', async () => {
  const config = { compilerOptions: { module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] } };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      ...config,
      include: ['suites'],
      compilerOptions: { ...config.compilerOptions, target: 'es2024' },
    }),
  );
  const { all } = await inProject(project, join(CHECKOUT, 'node_modules/.bin/tsc'), '-p', '.').catch((error) => error);
  expect(all).toBe('');
});

test('it is installed from git, without a warning', async () => {
  const git = (...args: string[]) =>
    execa('git', ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org', ...args], { cwd: source });
  // The clone must not have this link, because npm would install into its target.
  rmSync(join(source, 'node_modules'));
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'everything');
  await git('clone', '--quiet', '--bare', source, join(folder, 'origin.git'));
  const other = join(folder, 'from-git');
  expect((await install(other, `git+file://${join(folder, 'origin.git')}`)).trim()).toMatch(
    /^added \d+ packages in \S+$/,
  );
  const { stdout, stderr } = await inProject(other, 'npx', '--no-install', 'harness', '--version');
  expect([stdout, stderr]).toEqual([packageJson.version, '']);
});
