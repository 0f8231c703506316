import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
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
  lost,
  names,
  nodeOf,
} from './support/fake-cells.ts';
import { makeProject, troubles } from './support/project.ts';
import { type SlurmCluster, startSlurm } from './support/slurm.ts';

const NODES = [
  { name: 'n1', feature: 'amd64' },
  { name: 'n2', feature: 'arm64' },
  { name: 'n3', feature: 'ppc64le' },
] as const;
const root = dirname(import.meta.dirname);

// Slurm's daemons switch to the user of a job.
const isRoot = process.getuid?.() === 0;
const onSlurm = test.runIf(isRoot);

let cluster: SlurmCluster;
beforeAll(async () => {
  if (isRoot) cluster = await startSlurm(NODES);
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** Fake cells on the cluster. */
const fakes = (perArch: number, fake: Fake) =>
  fakesOn(perArch, fake, (folder) => engineYaml(folder, `    harness: ${process.execPath} ${join(root, FAKE)}\n`));

/** An inventory with the cluster as its engine. */
function engineYaml(folder: string, more: string): string {
  return `engines:
  lab:
    kind: slurm
    shared: ${join(folder, 'shared')}
    arch: { amd64: amd64, arm64: arm64, ppc64le: ppc64le }
    minutes: 10
    poll-seconds: 0.5
${more}`;
}

/** Jobs of all runs that are alive. */
async function queued(): Promise<string> {
  return (await cluster.command(['squeue', '-h', '-r', '-o', '%j %T'])).trim();
}

onSlurm('12 cells run on nodes of their architectures', async () => {
  await using project = await fakes(4, { ms: 300 });
  const { exitCode, stderr } = await project.harness(['run', 'fake', '--on', 'lab'], cluster.env);
  expect(exitCode, stderr).toBe(0);
  const results = await project.results();
  expect(troubles(results)).toEqual([]);
  expect(results.cells.map((cell) => [cell.name, nodeOf(cell)])).toEqual([
    ...names('amd64', 4).map((name) => [name, 'n1']),
    ...names('arm64', 4).map((name) => [name, 'n2']),
    ...names('ppc64le', 4).map((name) => [name, 'n3']),
  ]);
  expect(await readdir(join(project.env['HARNESS_STATE']!, 'leases'))).toEqual([]);
});

onSlurm('of 18 cells 3 are red and run once, and 3 are infra once and run twice', async () => {
  const red = names('amd64', 3);
  const infraOnce = names('arm64', 3);
  await using project = await fakes(6, { ms: 300, red, infraOnce });
  const { exitCode, stderr } = await project.harness(['run', 'fake', '--on', 'lab'], cluster.env);
  expect(exitCode, stderr).toBe(1);
  const { cells } = await project.results();
  const verdicts = Map.groupBy(cells, ({ verdict }) => verdict);
  expect(verdicts.get('failed')?.map(({ name }) => name)).toEqual(red);
  expect(verdicts.get('passed')?.length).toBe(15);
  const times = await begun(project);
  expect([...times].filter(([, count]) => count !== 1).map(([name, count]) => [name, count])).toEqual(
    expect.arrayContaining(infraOnce.map((name) => [name, 2])),
  );
  expect([...times.values()].reduce((sum, count) => sum + count, 0)).toBe(21);
  const again = cells.find(({ name }) => name === infraOnce[0]);
  expect(again?.earlier?.map(({ reason }) => reason)).toEqual([
    'attempt 1 on n2: its harness ended with 3 (it is infra)',
  ]);

  // They are repaired, and nothing else runs.
  await writeFile(join(project.folder, 'fake.json'), JSON.stringify({ ms: 10 }));
  const failed = await project.harness(['run', '--failed', '--on', 'lab'], cluster.env);
  expect(failed.exitCode, failed.stderr).toBe(0);
  const after = await project.results();
  expect(after.cells.map(({ name, verdict }) => [name, verdict])).toEqual(red.map((name) => [name, 'passed']));
  expect([...(await begun(project)).values()].reduce((sum, count) => sum + count, 0)).toBe(21 + 3);
});

onSlurm('--bail ends jobs that run, and those that wait never begin', async () => {
  // More cells than slots; all but one would go on for ever.
  await using project = await fakes(6, { ms: 300, red: ['amd64/vm/s1'], until: join(cluster.folder, 'never') });
  const { exitCode, stderr } = await project.harness(['run', 'fake', '--on', 'lab', '--bail'], cluster.env);
  expect(exitCode, stderr).toBe(1);
  await retryUntil(async () => expect(await queued()).toBe(''), { deadlineMs: 60_000 });
  const { cells } = await project.results();
  const [red, ...others] = cells;
  expect([red?.name, red?.verdict]).toEqual(['amd64/vm/s1', 'failed']);
  const left = 'left out by --bail after 1 failure';
  expect(others.map(({ verdict, reason }) => [verdict, reason])).toEqual(others.map(() => ['incomplete', left]));
  const started = await begun(project);
  expect(new Set(started.values())).toEqual(new Set([1]));
  // A node has four slots; the red cell's is taken by another until the failure is seen.
  expect(names('arm64', 6).filter((name) => !started.has(name)).length).toBeGreaterThanOrEqual(2);
  expect(names('ppc64le', 6).filter((name) => !started.has(name)).length).toBeGreaterThanOrEqual(2);
});

onSlurm(
  'a controller that gets SIGKILL again and again leaves a run to attach to, and nothing runs twice',
  async () => {
    await using project = await fakes(5, { ms: 2500 });
    // At a random time after the run has begun.
    const first = project.start(['run', 'fake', '--on', 'lab'], cluster.env);
    await project.event((event): event is typeof event => event.type === 'run.started');
    await delay(Math.random() * 2500);
    first.kill('SIGKILL');
    await first;
    for (let time = 0; time < 2; time++) {
      const next = project.start(['attach'], cluster.env);
      await delay(700 + Math.random() * 2500);
      next.kill('SIGKILL');
      await next;
    }
    const { exitCode, stderr } = await project.harness(['run', '--resume', 'latest', '--on', 'lab'], cluster.env);
    expect(exitCode, stderr).toBe(0);
    const results = await project.results();
    expect(troubles(results)).toEqual([]);
    expect(results.cells.length).toBe(15);
    const times = await begun(project);
    expect(new Map([...times].filter(([, count]) => count > 1))).toEqual(new Map());
    expect(times.size).toBe(15);
  },
);

onSlurm('a node that loses power is noticed, and its cells run again', async () => {
  // It has its own cluster, because it breaks it.
  await using own = await startSlurm(NODES);
  await using project = await fakes(2, { ms: 10, until: GO });
  const running = project.start(['run', 'fake', '--on', 'lab'], own.env);
  await atWork(project, names('arm64', 2));
  await own.cutPower('n2');
  await letGo(project);
  await own.startNode('n2');
  const { exitCode, stderr } = await running;
  expect(exitCode, String(stderr)).toBe(0);
  const { cells } = await project.results();
  expectLostOnce(cells, 'arm64', 'attempt 1 on n2: it vanished: its node was lost, or the engine ended it');
});

onSlurm('what is preempted runs again', async () => {
  await using project = await fakes(2, { ms: 10, until: GO });
  const running = project.start(['run', 'fake', '--on', 'lab'], cluster.env);
  await atWork(project, names('arm64', 2));
  const urgent = ['sbatch', '-p', 'urgent', '-C', 'arm64', '-c', '4', '-o', '/dev/null', '--wrap', 'sleep 2'];
  await cluster.command(urgent);
  await lost(project, 2);
  await letGo(project);
  const { exitCode, stderr } = await running;
  expect(exitCode, String(stderr)).toBe(0);
  const { cells } = await project.results();
  const arm64 = cells.filter(({ arch }) => arch === 'arm64');
  for (const { verdict, earlier } of arm64) {
    expect(verdict).toBe('passed');
    expect(earlier?.map(({ reason }) => reason)).toEqual([
      'attempt 1 on n2: its harness ended with 130 (the run was interrupted)',
    ]);
  }
});

onSlurm("Slurm's controller is away for a while, and cells go on", async () => {
  // It has its own cluster, because it breaks it.
  await using own = await startSlurm(NODES);
  await using project = await fakes(2, { ms: 6000 });
  const running = project.start(['run', 'fake', '--on', 'lab'], own.env);
  await atWork(
    project,
    ARCHS.flatMap((arch) => names(arch, 2)),
  );
  await own.killController();
  await delay(4000);
  await own.startController();
  const { exitCode, stderr } = await running;
  expect(exitCode, String(stderr)).toBe(0);
  expect(troubles(await project.results())).toEqual([]);
  expect([...(await begun(project)).values()]).toEqual(Array(6).fill(1));
});

onSlurm.each(['SIGINT', 'harness cancel'])('%s ends every job, and the run has what they said', async (how) => {
  await using project = await fakes(6, { ms: 60_000 });
  const running = project.start(['run', 'fake', '--on', 'lab'], cluster.env);
  await atWork(project, ['amd64/vm/s1']);
  if (how === 'SIGINT') running.kill('SIGINT');
  else expect((await project.harness(['cancel'], cluster.env)).exitCode).toBe(0);
  const { exitCode, stderr } = await running;
  expect(exitCode, String(stderr)).toBe(130);
  // Jobs that have ended may still be completing.
  await retryUntil(async () => expect(await queued()).toBe(''), { deadlineMs: 30_000 });
  const { cells } = await project.results();
  const started = await begun(project);
  // A row may have a slot on a node while its harness is signalled before it has written anything.
  const reasons = new Map(cells.map(({ name, reason }) => [name, reason]));
  expect(cells.map(({ verdict }) => verdict)).toEqual(cells.map(() => 'incomplete'));
  for (const reason of reasons.values())
    expect(['the run was interrupted', 'never finished', 'never started']).toContain(reason?.split(':')[0]);
  expect(reasons.get('amd64/vm/s1')).not.toBe('never started');
  const untouched = [...reasons.keys()].filter((name) => !started.has(name));
  expect(untouched.map((name) => reasons.get(name))).toEqual(untouched.map(() => 'never started'));
  expect((await project.harness(['gc'], cluster.env)).stdout).toContain('nothing to remove');
  // The remaining cells can be run as part of it.
  await writeFile(join(project.folder, 'fake.json'), JSON.stringify({ ms: 10 }));
  const resumed = await project.harness(['run', '--resume', 'latest', '--on', 'lab'], cluster.env);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect((await project.results()).cells.length).toBe(18);
});

onSlurm('harness gc ends the jobs of a run whose harness is gone, and no other run does', async () => {
  await using project = await fakes(1, { ms: 300_000 });
  const running = project.start(['run', 'fake', '--on', 'lab'], cluster.env);
  await atWork(
    project,
    ARCHS.flatMap((arch) => names(arch, 1)),
  );
  running.kill('SIGKILL');
  await running;
  await project.harness(
    ['run', '--arch', 'amd64', '--suite', 's1', '--target', 'container', '--no-bench'],
    cluster.env,
  );
  expect((await queued()).split('\n').length).toBe(3);
  const { stdout, exitCode } = await project.harness(['gc'], cluster.env);
  expect(exitCode, stdout).toBe(0);
  await retryUntil(async () => expect(await queued()).toBe(''), { deadlineMs: 30_000 });
});

onSlurm('a shared folder that is full costs attempts, and no results', async () => {
  // More cells than slots: those that wait start in a full folder.
  await using project = await fakes(6, { ms: 10, until: GO });
  const shared = join(project.folder, 'shared');
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', shared]);
  try {
    const running = project.start(['run', 'fake', '--on', 'lab'], cluster.env);
    await atWork(
      project,
      ARCHS.flatMap((arch) => names(arch, 4)),
    );
    await writeFile(join(shared, 'filler'), Buffer.alloc(8 * 2 ** 20)).catch(() => {});
    await letGo(project);
    await lost(project, 1);
    await rm(join(shared, 'filler'));
    const { exitCode, stderr } = await running;
    expect(exitCode, String(stderr)).toBe(0);
    expect((await project.results()).cells.map(({ verdict }) => verdict)).toEqual(Array(18).fill('passed'));
  } finally {
    await execa('umount', ['--lazy', shared]);
  }
});

onSlurm('a second controller is refused, and whoever attaches meanwhile watches', async () => {
  const go = join(cluster.folder, 'go');
  await using project = await fakes(1, { ms: 10, until: go });
  const running = project.start(['run', 'fake', '--on', 'lab'], cluster.env);
  await atWork(project, ['amd64/vm/s1']);
  const second = await project.harness(['run', '--resume', 'latest', '--on', 'lab'], cluster.env);
  expect([second.exitCode, second.stderr]).toEqual([2, expect.stringContaining('it is still running')]);
  const attached = project.start(['attach'], cluster.env);
  let shown = '';
  attached.stderr?.on('data', (text: Buffer) => {
    shown += text;
  });
  await retryUntil(async () => expect(shown).toContain('3 cells'), { deadlineMs: 60_000 });
  await writeFile(go, '');
  expect((await attached).exitCode, shown).toBe(0);
  expect(shown).toContain('amd64/vm/s1  passed');
  expect((await running).exitCode).toBe(0);
  expect([...(await begun(project)).values()]).toEqual([1, 1, 1]);
});

onSlurm('the harness itself on the nodes: what was left to them is there for whoever attaches', async () => {
  const arch = nativeArch()!.name;
  await using project = await makeProject({
    'matrices/here.yaml': `arch: [${arch}]\nsuite: [good, bad]\ntarget: [local]\nlimits: { scale: 5 }\nimages: { build-memory: 128 }\n`,
    'suites/good/suite.yaml': 'machine: { memory: 64 }\n',
    'suites/good/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('runs on a node', async ({ target }) => { expect(await target.sh('echo hello')).toBe('hello'); });
`,
    'suites/bad/suite.yaml': 'machine: { memory: 64 }\n',
    'suites/bad/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is red', async ({ target }) => { expect(await target.sh('echo hello')).toBe('bye'); });
`,
    '.gitignore': '.harness\nstate\ntmp\nshared\n',
    'shared/.keep': '',
  });
  await writeFile(join(project.folder, 'machines.yaml'), engineYaml(project.folder, ''));
  const doctor = await project.harness(['doctor', '--on', 'lab', '--json'], cluster.env);
  expect(doctor.exitCode, doctor.stderr).toBe(0);
  const { nodes } = JSON.parse(doctor.stdout) as { nodes: { arch: string; facts: Record<string, string> }[] };
  expect(nodes.map(({ arch, facts }) => [arch, facts['node']])).toEqual([
    ['amd64', 'n1'],
    ['arm64', 'n2'],
    ['ppc64le', 'n3'],
  ]);
  const left = await project.harness(['run', 'here', '--on', 'lab', '--detach'], cluster.env);
  expect(left.exitCode, left.stderr).toBe(0);
  // Edits during the run change nothing.
  await writeFile(join(project.folder, 'suites/good/a.scenario.ts'), 'throw new Error("edited");\n');
  const { exitCode, stderr } = await project.harness(['attach', left.stdout.trim()], cluster.env);
  expect(exitCode, stderr).toBe(1);
  const { cells } = await project.results();
  expect(cells.map(({ name, verdict }) => [name, verdict])).toEqual([
    [`${arch}/local/good`, 'passed'],
    [`${arch}/local/bad`, 'failed'],
  ]);
  expect(await readdir(join(project.folder, '.harness/runs/latest'))).toEqual(
    expect.arrayContaining(['junit.xml', 'index.html', 'results.json']),
  );
});
