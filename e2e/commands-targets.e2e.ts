import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Results } from '../reports/results-schema.ts';
import { mayStartEngine, startEngine, type TestEngine } from './support/engine.ts';
import { makeProject, type TestProject } from './support/project.ts';
import { type StandIn, standIns, writeInventory } from './support/stand-in.ts';

/**
 * A project with a set-up, results in two formats, a test that passes the second time, and files to fetch. It keeps the
 * state between two attempts in its home.
 */
const files = {
  'matrices/m.yaml': 'arch: [amd64]\nsuite: [checks]\nlimits: {scale: 10}\n',
  'suites/checks/suite.yaml': `machine: { memory: 256 }
source: ../../product
setup: ['echo set up >made']
retries: 1
tests:
  - { name: printed, run: [sh, run.sh], results: tap }
  - { name: written, run: 'mkdir -p out && cp report.xml out/report.xml', results: { junit: out/*.xml } }
artifacts: [dist/**]
`,
  'product/run.sh': `echo 1..3
if test -e made; then echo 'ok 1 - set up'; else echo 'not ok 1 - set up'; fi
if test -e "$HOME/tried"; then echo 'ok 2 - sometimes'; else echo 'not ok 2 - sometimes'; fi
touch "$HOME/tried"
echo 'ok 3 - done'
mkdir -p dist/deep
id -un >dist/user
printf '\\000\\377' >dist/deep/bytes
`,
  'product/report.xml':
    '<testsuite name="s"><testcase name="one" time="0.25"/><testcase name="two"><skipped/></testcase></testsuite>',
};

const testsOf = ({ cells }: Results) =>
  cells.flatMap((cell) => cell.tests.map(({ verdict, name }) => `${verdict} ${name}`));

/** Runs the project on a kind of target and checks all results. @returns the user who ran the commands. */
async function check(project: TestProject, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stderr } = await project.harness(['run', 'm', ...args], env);
  const results = await project.results();
  expect(testsOf(results), stderr).toEqual([
    'passed set up',
    'flaky sometimes',
    'passed done',
    'passed s › one',
    'skipped s › two',
  ]);
  expect(exitCode, stderr).toBe(0);
  const [cell] = results.cells;
  expect(
    cell!.artifacts.filter((one) => one.includes('/artifacts/')).map((one) => one.replace(/^.*artifacts/, '')),
  ).toEqual(['/dist/deep/bytes', '/dist/user']);
  const place = `cells/${cell!.name}`;
  expect(Buffer.from(await project.read(`${place}/artifacts/dist/deep/bytes`), 'latin1').at(0)).toBe(0);
  expect(await project.read(`${place}/output.log`)).toContain('not ok 2 - sometimes');
  return (await project.read(`${place}/artifacts/dist/user`)).trim();
}

/** Runs a failing command from the command line as root, with a machine that is therefore kept. */
async function keep(project: TestProject, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const command = ['--root', '--memory', '256', '--', 'sh', '-c', 'id -un; touch made-here; exit 3'];
  const { exitCode, stderr } = await project.harness(['run', '--arch', 'amd64', '--keep', ...args, ...command], env);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('| root')]);
  const [cell] = (await project.results()).cells;
  const { stdout } = await project.harness(['shell', cell!.name, '--', 'sh', '-c', 'ls /srv/harness/source'], env);
  expect(stdout).toContain('made-here');
  const gc = await project.harness(['gc'], env);
  expect(gc.exitCode, gc.stderr).toBe(0);
}

test('on this host', async () => {
  await using project = await makeProject(files);
  expect(await check(project, ['--target', 'local'])).toBe('tester');
  await keep(project, ['--target', 'local']);
});

describe.runIf(await mayStartEngine())('in a container', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startEngine();
    return () => engine[Symbol.asyncDispose]();
  });

  test('natively', async () => {
    await using project = await makeProject(files);
    expect(await check(project, ['--target', 'container'], engine.env)).toBe('tester');
    await keep(project, ['--target', 'container'], engine.env);
  });
});

describe('on a machine that outlives the run', () => {
  let project: TestProject;
  let machine: StandIn;
  let machines: string;
  const onMachine = async (command: string) =>
    (await machine.target.exec(['sh', '-c', command], { deadlineMs: 60_000 })).stdout.trim();
  beforeAll(async () => {
    project = await makeProject(files);
    [machine] = (await standIns(project, ['amd64'])) as [StandIn];
    machines = await writeInventory(project, [machine]);
  });
  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
    await project?.[Symbol.asyncDispose]();
  });

  test('that is reached by SSH: as the user who logs in, and nothing is left there', async () => {
    expect(await check(project, ['--target', 'ssh', '--machines', machines])).toBe('tester');
    await keep(project, ['--target', 'ssh', '--machines', machines]);
    expect(await onMachine('ls -d /srv/harness /home/tester/.harness-work; true')).toBe('');
  });

  test('that a command makes', async () => {
    const file = join(project.folder, 'cloud.yaml');
    await writeFile(
      file,
      `ssh-config: ${join(project.folder, 'ssh_config')}
commands:
  cloud: { arch: [amd64], acquire: echo ssh://real-amd64-direct, reconnect: 'true', release: 'true' }
`,
    );
    const args = ['--target', 'command', '--machines', file];
    expect(await check(project, args)).toBe('tester');
    await keep(project, args);
    expect(await onMachine('ls -d /srv/harness /home/tester/.harness-work; true')).toBe('');
  });
});
