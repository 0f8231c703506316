import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../base/errors.ts';
import { loadMatrix, loadSuites } from '../config/load/load.ts';
import { findProject } from '../config/load/project.ts';
import { packagesFor } from '../setup/system-packages.mjs';
import { rejection, tempFiles } from '../testing/temp-files.ts';
import { initProject } from './init.ts';
import { commandStarter } from './starter-command.ts';
import { composeStarter } from './starter-compose.ts';
import { startsFrom } from './starts.ts';
import { surroundings } from './surroundings.ts';

test('the written files can be loaded, and each names its schema', async () => {
  await using files = await tempFiles();
  const written = await initProject(files.folder);
  expect(written.map(({ path, state }) => `${state} ${path}`)).toEqual([
    'wrote matrices/first.yaml',
    'wrote suites/hello/suite.yaml',
    'wrote suites/hello/hello.scenario.ts',
    'wrote suites/hello/hello.bench.ts',
    'wrote tsconfig.json',
    'wrote .github/workflows/harness.yml',
    'wrote package.json',
    'wrote .gitignore',
  ]);
  const project = await findProject(files.folder);
  const matrix = await loadMatrix(join(project.matrices, 'first.yaml'));
  expect([...(await loadSuites(matrix, [project.suites])).keys()]).toEqual(['hello']);
  expect((await readFile(join(files.folder, 'suites/hello/suite.yaml'), 'utf8')).split('\n')[0]).toBe(
    '# yaml-language-server: $schema=../../node_modules/multiarch-harness/harness/config/schemas/suite.schema.json',
  );
  expect(JSON.parse(await readFile(join(files.folder, 'package.json'), 'utf8'))).toEqual({
    private: true,
    type: 'module',
    scripts: { harness: 'harness run' },
  });
  expect(await readFile(join(files.folder, '.gitignore'), 'utf8')).toBe('node_modules/\n.harness/\n');
});

test.each([
  ['make check', ['build-essential']],
  ['python3 -m pytest -q "tests/a b"', ['python3', 'python3-pytest']],
  ['sh -c \'echo "a: b" # c\'', []],
])('a command is a suite of its own: %s', async (command, packages) => {
  await using files = await tempFiles();
  await initProject(files.folder, commandStarter(command));
  const project = await findProject(files.folder);
  const matrix = await loadMatrix(join(project.matrices, 'checks.yaml'));
  const suite = (await loadSuites(matrix, [project.suites])).get('checks');
  expect(suite).toMatchObject({ source: '../..', stack: { packages }, tests: [{ run: command, results: 'exit' }] });
});

test('a Compose file is the stack of a suite, with images of well-known names proposed', async () => {
  const compose = `version: "3.7"
services:
  front: { image: "nginx:1.25-alpine", ports: ["8080:80", "127.0.0.1:8443:443"] }
  back: { image: "team/app:2" }
`;
  await using files = await tempFiles({ 'compose.yaml': compose });
  const { templates, unknown } = await composeStarter('compose.yaml', files.folder);
  expect(unknown).toEqual(['team/app:2']);
  await initProject(files.folder, templates);
  const project = await findProject(files.folder);
  const matrix = await loadMatrix(join(project.matrices, 'stack.yaml'));
  const suite = (await loadSuites(matrix, [project.suites])).get('stack');
  expect(suite?.stack).toMatchObject({
    images: [
      { tag: 'nginx:1.25-alpine', packages: ['nginx-light', 'base-passwd'] },
      { tag: 'team/app:2', packages: [] },
    ],
    ports: { p8080: 8080, p8443: 8443 },
    ready: [{ tcp: 'p8080' }, { tcp: 'p8443' }],
  });
  expect(suite?.parts?.['compose']).toMatchObject({
    services: { front: 'nginx:1.25-alpine', back: 'team/app:2' },
  });
  expect(await readFile(join(files.folder, 'suites/stack/compose.yaml'), 'utf8')).toBe(compose);
});

test('a missing or invalid Compose file is an error of one line', async () => {
  await using files = await tempFiles({
    'bad.yaml': 'services: [',
    'built.yaml': 'version: "3"\nservices: { a: { build: . } }\n',
    'mixed.yaml': 'version: "3"\nservices: { a: { build: . }, b: { image: "nginx:1" }, c: { build: . } }\n',
  });
  expect(await rejection(composeStarter('no.yaml', files.folder))).toContain('cannot read no.yaml: ');
  expect(await rejection(composeStarter('bad.yaml', files.folder))).toContain('refuses it');
  expect(await rejection(composeStarter('built.yaml', files.folder))).toBe(
    'cannot start from built.yaml: a names no image',
  );
  expect(await rejection(composeStarter('mixed.yaml', files.folder))).toBe(
    'cannot start from mixed.yaml: a, c name no image',
  );
});

test('a matrix or suite that exists is left alone, and nothing is written beside it', async () => {
  await using files = await tempFiles({ 'suites/hello/suite.yaml': 'mine' });
  expect(await rejection(initProject(files.folder))).toBe(
    'cannot write a first project: suites/hello/suite.yaml exists already',
  );
  expect(await readdir(files.folder)).toEqual(['suites']);
  expect(await readFile(join(files.folder, 'suites/hello/suite.yaml'), 'utf8')).toBe('mine');
});

test('existing files are kept, and missing lines are added', async () => {
  const mine = '{\n\t"name": "mine",\n\t"scripts": {\n\t\t"test": "vitest"\n\t},\n\t"version": "1.0.0"\n}';
  await using files = await tempFiles({
    'package.json': mine,
    '.gitignore': '/node_modules\ncoverage',
    'tsconfig.json': '{}',
    '.github/workflows/harness.yml': 'mine',
  });
  const states = Object.fromEntries((await initProject(files.folder)).map(({ path, state }) => [path, state]));
  expect(states).toMatchObject({
    'package.json': 'added to',
    '.gitignore': 'added to',
    'tsconfig.json': 'kept',
    '.github/workflows/harness.yml': 'kept',
  });
  const read = (name: string) => readFile(join(files.folder, name), 'utf8');
  expect(await read('package.json')).toBe(
    '{\n\t"name": "mine",\n\t"scripts": {\n\t\t"harness": "harness run",\n\t\t"test": "vitest"\n\t},\n\t"version": "1.0.0"\n}',
  );
  expect(await read('.gitignore')).toBe('/node_modules\ncoverage\n.harness/\n');
  expect(await read('tsconfig.json')).toBe('{}');
  expect(await read('.github/workflows/harness.yml')).toBe('mine');
});

test('a script of that name is the project’s own', async () => {
  const mine = '{ "scripts": { "harness": "make" } }';
  await using files = await tempFiles({ 'package.json': mine, '.gitignore': 'node_modules\n.harness\n' });
  const states = (await initProject(files.folder)).map(({ state }) => state);
  expect(states.slice(-2)).toEqual(['kept', 'kept']);
  expect(await readFile(join(files.folder, 'package.json'), 'utf8')).toBe(mine);
});

test.each(['{', '[]', '{"scripts": 1}'])('a package.json of %j: nothing is written', async (text) => {
  await using files = await tempFiles({ 'package.json': text });
  expect(await rejection(initProject(files.folder))).toContain('cannot add a script to package.json: ');
  expect(await readdir(files.folder)).toEqual(['package.json']);
});

test('the workflow installs the same packages as the set-up', () => {
  const { text } = surroundings.find(({ path }) => path.endsWith('harness.yml'))!;
  const runner = packagesFor(false, { family: 'ubuntu', version: 24.04 }).map(({ package: name }) => name);
  const own = runner.filter((name) => name !== 'docker-compose-v2');
  expect(own).toHaveLength(runner.length - 1);
  for (const name of own) expect(text.split(/\s+/)).toContain(name);
  // Ubuntu's package of that name does not start, and the runner's plug-in holds the place of the one that does.
  expect(text).not.toContain('docker-compose');
});

test.each([
  [{}, []],
  [{ 'compose.yaml': '', 'docker-compose.yml': '' }, ['--compose compose.yaml']],
  [{ 'docker-compose.yml': '' }, ['--compose docker-compose.yml']],
  [{ Makefile: 'CC = cc\nall: a\n\ncheck: all\n\t./a\n' }, ['--command "make check"']],
  [{ Makefile: 'test:\n', 'compose.yml': '' }, ['--compose compose.yml', '--command "make test"']],
  // A variable, and a target of another name.
  [{ Makefile: 'test := yes\nlatest: all\n' }, []],
  [{ 'pyproject.toml': '', 'tests/test_a.py': '' }, ['--command "pytest"']],
  [{ 'Cargo.toml': '' }, ['--command "cargo test"']],
  [{ 'package.json': '{"scripts": {"test": "vitest run"}}' }, ['--command "npm test"']],
  [{ 'package.json': '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}' }, []],
  [{ 'package.json': '{' }, []],
])('what a project of %j offers to start from', async (project, starts) => {
  await using files = await tempFiles(project);
  expect(await startsFrom(files.folder)).toEqual(starts);
});

test('a suite for a command can follow the first one', async () => {
  await using files = await tempFiles();
  await initProject(files.folder);
  const states = Object.fromEntries(
    (await initProject(files.folder, commandStarter('make check'))).map(({ path, state }) => [path, state]),
  );
  expect(states).toMatchObject({ 'matrices/checks.yaml': 'wrote', '.gitignore': 'kept', 'package.json': 'kept' });
});

test('a folder that cannot be is a mistake of who named it', async () => {
  await using files = await tempFiles({ file: '' });
  await expect(initProject('/proc/nosuch')).rejects.toThrow(/^cannot write a first project in \/proc\/nosuch: ENOENT/);
  await expect(initProject(join(files.folder, 'file'))).rejects.toThrow(ConfigError);
});
