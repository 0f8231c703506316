import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import { retryUntil } from '../harness/base/time.ts';
import type { Results } from '../reports/results-schema.ts';
import { playAction } from './support/play-action.ts';
import { makeProject } from './support/project.ts';

const arch = nativeArch()!.name;
const local = ['run', '--arch', arch, '--target', 'local'];
const tests = ({ cells }: Results) =>
  cells.flatMap((cell) => cell.tests.map((one) => `${one.verdict} ${one.file} › ${one.name}`));

/** Four tests in TAP, one of which fails on the given `uname -m`. */
const TAP = `#!/bin/sh
echo 'TAP version 13'
echo '1..4'
echo 'ok 1 - adds'
if [ "$(uname -m)" = "$1" ]; then echo 'not ok 2 - packs'; echo '# bytes are swapped'; else echo 'ok 2 - packs'; fi
echo 'ok 3 - network # SKIP there is none'
echo 'ok 4 - done'
echo "on $(id -un) in $PWD with $CI $HARNESS_ARCH" >&2
test "$(uname -m)" != "$1"
`;

test('a command of one line: its output with the cell in front, its results as tests, files brought back', async () => {
  await using project = await makeProject({ 'run.sh': TAP, 'ignored/x': 'x', '.gitignore': 'ignored\n' });
  await execa('git', ['init', '--quiet', project.folder]);
  const script = 'ls; sh run.sh none; code=$?; mkdir -p out; uname -m >out/machine; exit $code';
  const { exitCode, stderr } = await project.harness([
    ...local,
    '--results',
    'tap',
    '--artifacts',
    'out/*',
    '--',
    'sh',
    '-c',
    script,
  ]);
  expect(exitCode, stderr).toBe(0);
  expect(tests(await project.results()).map((one) => one.replace(/ .* › /, ' '))).toEqual([
    'passed adds',
    'passed packs',
    'skipped network',
    'passed done',
  ]);
  const [cell] = (await project.results()).cells;
  expect(stderr).toContain(`${cell!.name} | on tester in /srv/harness/source with true ${arch}`);
  expect(stderr).not.toContain(`${cell!.name} | ignored`);
  expect(await project.read(`cells/${cell!.name}/output.log`)).toContain('ok 2 - packs');
  expect(await project.read(`cells/${cell!.name}/artifacts/out/machine`)).toBe(`${nativeArch()!.machine}\n`);
  expect(await project.read('junit.xml')).toContain('there is none');
});

test('what is no success, is none: each in its own words', async () => {
  const cases: Record<string, { entry: string; says: RegExp }> = {
    'an exit code': { entry: '{ run: "echo almost; exit 9" }', says: /exited with 9: almost/ },
    'a program that is not there': {
      entry: '{ run: [no-such-program] }',
      says: /could not be started: no-such-program: No such/,
    },
    'a test that fails': {
      entry: `{ run: [sh, run.sh, ${nativeArch()!.machine}], results: tap }`,
      says: /packs|swapped/,
    },
    'no results': { entry: '{ run: ["true"], results: { junit: r.xml } }', says: /r\.xml is not there/ },
    'results of another run': {
      entry: '{ run: ["true"], results: { junit: old.xml } }',
      says: /old\.xml is not there/,
    },
    'results that are cut short': {
      entry: `{ run: 'printf "<testsuite><testcase name=\\"a\\"/>" >cut.xml', results: { junit: cut.xml } }`,
      says: /not whole: cut\.xml/,
    },
    'no test': { entry: '{ run: ["true"], results: tap }', says: /not whole: it is empty/ },
    'a command that hangs': { entry: '{ run: "cat; sleep 1000", seconds: 1 }', says: /did not end within \d+ s/ },
  };
  const entries = Object.entries(cases).map(([name, { entry }]) => `  - ${entry.replace('{', `{ name: ${name},`)}\n`);
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\nsuite: [bad]\ntarget: [local]\n`,
    'suites/bad/suite.yaml': `source: ../../product\nartifacts: [dist/*]\ntests:\n${entries.join('')}`,
    'product/run.sh': TAP,
    'product/old.xml': '<testsuite><testcase name="a"/></testsuite>',
  });
  const { exitCode, stderr } = await project.harness(['run', 'm']);
  expect(exitCode, stderr).toBe(1);
  const failed = (await project.results()).cells[0]!.tests.filter(({ verdict }) => verdict === 'failed');
  for (const [name, { says }] of Object.entries(cases)) {
    const of = failed.filter((one) => one.name === name || one.file === name);
    expect(of.map(({ attempts }) => JSON.stringify(attempts)).join(), name).toMatch(says);
  }
  expect(failed.map((one) => one.name)).toContain('artifacts');
});

test('a daemon that it leaves behind is ended, and keeps nobody', async () => {
  await using project = await makeProject({});
  const { exitCode } = await project.harness([
    ...local,
    '--no-source',
    '--',
    'sh',
    '-c',
    'setsid sleep 86399 >/dev/null 2>&1 & exit 0',
  ]);
  expect(exitCode).toBe(0);
  const processes = await Promise.all(
    (await readdir('/proc')).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  expect(processes.filter((one) => one.includes('86399\0'))).toEqual([]);
});

test('somebody who interrupts does not wait for the command', async () => {
  await using project = await makeProject({});
  const run = project.start([...local, '--no-source', '--', 'sh', '-c', 'echo begun; sleep 86398']);
  await retryUntil(
    async () =>
      expect(await project.read(`cells/${arch}/local/${basename(project.folder).toLowerCase()}/output.log`)).toBe(
        'begun\n',
      ),
    {
      deadlineMs: 60_000,
    },
  );
  const asked = performance.now();
  run.kill('SIGTERM');
  expect((await run).exitCode).toBe(130);
  expect(performance.now() - asked).toBeLessThan(60_000);
  expect((await project.results()).cells.map(({ verdict }) => verdict)).toEqual(['incomplete']);
});

test('what cannot work is said before anything starts', async () => {
  await using project = await makeProject({});
  for (const args of [
    ['--results', 'xunit:a', '--', 'true'],
    ['--artifacts', '../x', '--', 'true'],
    ['--source', 'nowhere', '--', 'true'],
    ['--packages', 'no;t', '--', 'true'],
    ['--'],
    ['--packages', 'gcc'],
    ['--source', '.'],
    ['--memory', '2048', '--no-bench'],
  ]) {
    const { exitCode, stderr } = await project.harness([...local, ...args]);
    expect([args, exitCode, stderr.split('\n').length < 8]).toEqual([args, 2, true]);
  }
});

test('a suite of commands on a machine of its own: set up once, then resumed with what changed', async () => {
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\nsuite: [checks]\nlimits: {scale: 20}\n`,
    'suites/checks/suite.yaml': `machine: {vcpus: 1, memory: 256}
source: ../../product
setup: [cp config made, 'cat made >>log']
tests:
  - { name: first, run: sh run.sh none, results: tap }
  - { run: cat log text }
`,
    'product/run.sh': TAP,
    'product/config': 'configured\n',
    'product/text': 'one\n',
  });
  const run = async () => {
    const { exitCode, stderr } = await project.harness(['run', 'm']);
    expect(exitCode, stderr).toBe(0);
    const [cell] = (await project.results()).cells;
    return {
      resumed: cell!.facts?.resumed !== undefined,
      output: await project.read(`cells/${cell!.name}/output.log`),
    };
  };
  expect(await run()).toMatchObject({ resumed: false });
  await writeFile(join(project.folder, 'product/text'), 'two\n');
  const second = await run();
  expect(second.resumed).toBe(true);
  // The set-up ran only once, and the changed file was copied again.
  expect(second.output.split('\n').slice(-3)).toEqual(['configured', 'two', '']);
  await writeFile(join(project.folder, 'product/config'), 'anew\n');
  const third = await run();
  expect(third.resumed).toBe(false);
  expect(third.output.split('\n').slice(-3)).toEqual(['anew', 'two', '']);
});

const C_PROJECT = {
  'add.c': 'int add(int a, int b) { return a + b; }\n',
  'test.c': `#include <stdio.h>
int add(int, int);
int main(void) {
  puts("1..2");
  puts(add(1, 1) == 2 ? "ok 1 - adds" : "not ok 1 - adds");
  puts(sizeof(long) == 8 ? "ok 2 - long has eight bytes" : "not ok 2 - long has eight bytes");
}
`,
  Makefile: 'check: t\n\t@./t\nt: add.c test.c\n\t@$(CC) -o t add.c test.c\n',
};
const PYTHON_PROJECT = { 'test_it.py': 'def test_one(): pass\ndef test_two(): assert 1 + 1 == 2\n' };

test.each([
  ['C', C_PROJECT, { packages: 'gcc,libc6-dev,make', run: 'make check', results: 'tap' }, 2],
  [
    'Python',
    PYTHON_PROJECT,
    {
      packages: 'python3-pytest',
      run: 'python3 -m pytest -q --junitxml=r.xml',
      results: 'junit:r.xml',
      artifacts: 'r.xml',
    },
    2,
  ],
] as const)('the action tests a project in %s that knows nothing of the harness', async (_, files, inputs, count) => {
  await using project = await makeProject(files);
  const env = {
    ...project.env,
    HARNESS_NO_SYSTEM_PACKAGES: '1',
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: join(project.folder, 'summary.md'),
    // The output that the upload of the page would have had.
    URL: 'https://github.example/page',
  };
  await writeFile(env.GITHUB_STEP_SUMMARY, '');
  const given = { ...inputs, arch, args: '--target local', 'working-directory': '.' };
  const { output, said } = await playAction(project.folder, ['The harness', 'run', 'The summary'], given, env);
  // The page alone, for an upload that the browser opens.
  expect(output, said).toBe(`exit-code=0\npage=${project.folder}/harness-.html\n`);
  const { cells } = await project.results();
  expect(cells.map(({ verdict, tests }) => [verdict, tests.map((one) => one.verdict)])).toEqual([
    ['passed', Array.from({ length: count }, () => 'passed')],
  ]);
  const summary = await readFile(join(project.folder, 'summary.md'), 'utf8');
  expect(summary).toContain(cells[0]!.name);
  expect(summary).toContain(env.URL);
});
