import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import { retryUntil } from '../harness/base/time.ts';
import {
  ARCHS,
  atWork,
  begun,
  expectLostOnce,
  FAKE,
  type Fake,
  fakes as fakesOn,
  GO,
  letGo,
  names,
  nodeOf,
} from './support/fake-cells.ts';
import { type CondorPool, PLACES, startCondor } from './support/htcondor.ts';
import { makeProject, type TestProject, troubles } from './support/project.ts';

const NODES = ARCHS.map((arch, index) => ({ name: `n${index + 1}`, arch }));

// The root that it runs in is root's to make.
const isRoot = process.getuid?.() === 0;
const onCondor = test.runIf(isRoot);

let pool: CondorPool;
beforeAll(async () => {
  if (isRoot) pool = await startCondor(NODES);
}, 600_000);
afterAll(() => pool?.[Symbol.asyncDispose]());

/** An inventory with an engine that is the pool. */
function engineYaml(folder: string, more: string): string {
  return `engines:
  pool:
    kind: htcondor
    shared: ${join(folder, 'shared')}
    arch: { ${ARCHS.map((arch) => `${arch}: 'HarnessArch == "${arch}"'`).join(', ')} }
    minutes: 10
    poll-seconds: 0.5
    lease-seconds: 20
${more}`;
}

/** Fake cells in the pool. */
const fakes = (perArch: number, fake: Fake) =>
  fakesOn(perArch, fake, (folder) =>
    engineYaml(folder, `    harness: ${PLACES.node} ${join(PLACES.checkout, FAKE)}\n`),
  );

/** What is alive of all runs. */
async function queued(): Promise<string> {
  return (await pool.command(['condor_q', '-af', 'HarnessToken', 'JobStatus'])).trim();
}

/** The attempts that were submitted, by what is written down before. */
async function intended(project: TestProject): Promise<string[]> {
  const text = await readFile(join(project.folder, '.harness/runs/latest/dispatch.jsonl'), 'utf8');
  const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  return lines.flatMap(({ type, rows }) =>
    type === 'intent' ? rows.map(([cell, attempt]: [string, number]) => `${cell} ${attempt}`) : [],
  );
}

onCondor(
  '18 cells on nodes of their architectures: 3 are red and run once, 3 are infra once and run twice',
  async () => {
    const red = names('amd64', 3);
    const infraOnce = names('arm64', 3);
    await using project = await fakes(6, { ms: 300, red, infraOnce });
    const { exitCode, stderr } = await pool.harness(project, ['run', 'fake', '--on', 'pool']);
    expect(exitCode, stderr).toBe(1);
    const { cells } = await project.results();
    expect(cells.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name)).toEqual(red);
    expect(cells.filter(({ verdict }) => verdict === 'passed').length).toBe(15);
    expect(cells.map((cell) => [cell.name, nodeOf(cell)])).toEqual(
      NODES.flatMap(({ name, arch }) => names(arch, 6).map((cell) => [cell, name])),
    );
    const times = await begun(project);
    expect([...times].filter(([, count]) => count !== 1).sort()).toEqual(infraOnce.map((name) => [name, 2]));
    expect(times.size).toBe(18);
    const again = cells.find(({ name }) => name === infraOnce[0]);
    expect(again?.earlier?.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^attempt 1 on n2@\S+: its harness ended with 3 \(it is infra\)$/),
    ]);
    expect(await queued()).toBe('');
  },
);

onCondor('a controller that gets SIGKILL leaves a run to attach to, and nothing runs twice', async () => {
  await using project = await fakes(4, { ms: 4000 });
  const first = pool.start(project, ['run', 'fake', '--on', 'pool']);
  await atWork(project, ['amd64/vm/s1']);
  first.kill('SIGKILL');
  await first;
  const { exitCode, stderr } = await pool.harness(project, ['attach']);
  expect(exitCode, stderr).toBe(0);
  const results = await project.results();
  expect(troubles(results)).toEqual([]);
  expect(results.cells.length).toBe(12);
  expect((await intended(project)).filter((attempt) => !attempt.endsWith(' 1'))).toEqual([]);
});

onCondor('a node that loses power is noticed, and its cells run again, by nobody but us', async () => {
  await using project = await fakes(2, { ms: 10, until: GO });
  const running = pool.start(project, ['run', 'fake', '--on', 'pool']);
  await atWork(project, names('arm64', 2));
  await pool.cutPower('n2');
  await letGo(project);
  const { exitCode, stderr } = await running;
  expect(exitCode, String(stderr)).toBe(0);
  const { cells } = await project.results();
  expectLostOnce(cells, 'arm64', 'attempt 1: it vanished: its node was lost, or the engine ended it');
  expect((await intended(project)).filter((attempt) => attempt.endsWith(' 2')).sort()).toEqual(
    names('arm64', 2).map((name) => `${name} 2`),
  );
});

onCondor('harness cancel ends every job, and the run has what they said', async () => {
  await using project = await fakes(6, { ms: 60_000 });
  const running = pool.start(project, ['run', 'fake', '--on', 'pool']);
  await atWork(project, ['amd64/vm/s1']);
  expect((await pool.harness(project, ['cancel'])).exitCode).toBe(0);
  const { exitCode, stderr } = await running;
  expect(exitCode, String(stderr)).toBe(130);
  await retryUntil(async () => expect(await queued()).toBe(''), { deadlineMs: 30_000 });
  const { cells } = await project.results();
  expect(cells.map(({ verdict }) => verdict)).toEqual(cells.map(() => 'incomplete'));
  expect(cells.find(({ name }) => name === 'amd64/vm/s1')?.reason).toBe('the run was interrupted');
  expect((await pool.harness(project, ['gc'])).stdout).toContain('nothing to remove');
});

onCondor(
  'the harness itself on nodes that share no folder: the tree is brought, and what it left comes back',
  async () => {
    const arch = nativeArch()!.name;
    await using project = await makeProject({
      'matrices/here.yaml': `arch: [${arch}]\nsuite: [good, bad]\ntarget: [local]\nlimits: { scale: 5 }\nimages: { build-memory: 128 }\n`,
      'suites/good/suite.yaml': 'machine: { memory: 64 }\n',
      'suites/good/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('runs where it was brought', async ({ target }) => { expect(await target.sh('echo hello')).toBe('hello'); });
`,
      'suites/bad/suite.yaml': 'machine: { memory: 64 }\n',
      'suites/bad/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is red', async ({ target }) => { expect(await target.sh('echo hello')).toBe('bye'); });
`,
    });
    // Nobody but this machine has it: what runs there runs in a sandbox of HTCondor's.
    const call = `    harness: ${PLACES.node} ${join(PLACES.checkout, 'harness/cli/main.ts')}\n`;
    await writeFile(join(project.folder, 'machines.yaml'), engineYaml(project.folder, call));
    const doctor = await pool.harness(project, ['doctor', '--on', 'pool', '--json']);
    expect(doctor.exitCode, doctor.stderr).toBe(0);
    const { nodes } = JSON.parse(doctor.stdout) as { nodes: { arch: string; facts: Record<string, string> }[] };
    expect(nodes.map((node) => [node.arch, node.facts['node']?.split('@')[0]])).toEqual(
      NODES.map(({ name, arch: own }) => [own, name]),
    );
    const { exitCode, stderr } = await pool.harness(project, ['run', 'here', '--on', 'pool']);
    expect(exitCode, stderr).toBe(1);
    const { cells } = await project.results();
    expect(cells.map(({ name, verdict }) => [name, verdict])).toEqual([
      [`${arch}/local/good`, 'passed'],
      [`${arch}/local/bad`, 'failed'],
    ]);
    expect(await readdir(join(project.folder, '.harness/runs/latest'))).toEqual(
      expect.arrayContaining(['junit.xml', 'index.html', 'results.json']),
    );
  },
);
