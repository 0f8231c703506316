import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive } from '../harness/base/process.ts';
import { retryUntil } from '../harness/base/time.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import type { VmHandle } from '../harness/targets/vm/machine.ts';
import { leftovers, makeProject } from './support/project.ts';

const files = {
  'matrices/pair.yaml': `arch: [amd64+ppc64le]\nsuite: [pair]\n`,
  'suites/pair/suite.yaml': `description: Two machines of two architectures on one network.
machine: {vcpus: 1, memory: 256}
nodes: {n1: {}, n2: {}}
`,
  'suites/pair/pair.scenario.ts': `import { appendFileSync } from 'node:fs';
import { eventually, expect, test } from 'multiarch-harness';

/** The greeting that a machine gets from the SSH server of another one, by name; soon enough to see that there is none. */
const greet = (name, seconds = 60) =>
  ['perl', '-MIO::Socket::INET', '-e', \`my $s = IO::Socket::INET->new(PeerAddr => "\${name}:22", Timeout => \${seconds}) or die "no: $@"; print scalar <$s>\`];

test('each is what it is called, and they hear each other', async ({ cluster, target }) => {
  const [n1, n2] = cluster.nodes;
  expect(await Promise.all(cluster.nodes.map((node) => node.sh('uname -m; hostname')))).toEqual(['x86_64\\nn1', 'ppc64le\\nn2']);
  expect([n1.address, n2.address]).toEqual(['10.77.0.11', '10.77.0.12']);
  expect(await target.sh('hostname')).toBe('n1');
  expect((await n1.exec(greet('n2'))).stdout).toMatch(/^SSH-2/);
  expect((await n2.exec(greet('n1'))).stdout).toMatch(/^SSH-2/);
  const keys = await Promise.all(cluster.nodes.map((node) => node.sh('cat /etc/machine-id')));
  appendFileSync(new URL('../../ids', import.meta.url), keys.join('\\n') + '\\n');
});

test('a partition cuts them off until it is healed', async ({ cluster }) => {
  await cluster.lan.partition(['n1'], ['n2']);
  expect((await cluster.node('n1').exec(greet('n2', 3))).exitCode).not.toBe(0);
  await cluster.lan.heal();
  await eventually(async () => expect((await cluster.node('n1').exec(greet('n2', 10))).exitCode).toBe(0), { seconds: 20 });
  expect((await cluster.lan.counters()).n2.cut).toBeGreaterThan(0);
});

test('a delay is there and goes', async ({ cluster }) => {
  await cluster.lan.impair('n2', { delayMs: 400 });
  const begun = performance.now();
  await cluster.node('n1').exec(greet('n2'));
  // A round trip for the connection, then one way for the greeting.
  expect(performance.now() - begun).toBeGreaterThan(1000);
  await cluster.lan.impair('n2', {});
});

test('a machine without power is gone, and comes back', async ({ cluster }) => {
  const [n1, n2] = cluster.nodes;
  await n2.sh('echo lost > /run/note; echo kept > /var/note; sync /var/note');
  await n2.powerOff();
  expect((await n1.exec(greet('n2', 3))).exitCode).not.toBe(0);
  await n2.powerOn();
  expect(await n2.sh('cat /var/note; test -e /run/note || echo gone')).toBe('kept\\ngone');
  await eventually(async () => expect((await n1.exec(greet('n2', 10))).exitCode).toBe(0), { seconds: 20 });
});

test('a name that is none', ({ cluster }) => {
  expect(() => cluster.node('n3')).toThrow('there is no node "n3": suite.yaml names n1, n2');
});
`,
};

test('a cluster of two architectures: network, partition, power, and again from its snapshot, twice at the same time', async () => {
  await using one = await makeProject(files);
  await using other = await makeProject(files);
  const cold = await one.harness(['run', 'pair']);
  expect(cold.exitCode, cold.stderr).toBe(0);
  expect((await one.results()).cells.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['amd64+ppc64le/vm/pair', 'passed'],
  ]);
  // Two runs of one cluster do not meet.
  const both = await Promise.all([one, other].map((project) => project.harness(['run', 'pair'])));
  expect(both.map(({ exitCode, stderr }) => (exitCode === 0 ? '' : stderr))).toEqual(['', '']);
  for (const project of [one, other]) {
    const [cell] = (await project.results()).cells;
    expect(cell?.facts?.resumed).toMatch(/^\d{4}-/);
    expect(cell?.tests.map(({ verdict }) => verdict)).toEqual(Array(5).fill('passed'));
    expect(await leftovers(project.folder)).toEqual([]);
  }
  // Resumed machines differ from the saved ones, and from one another.
  const ids = await Promise.all([one, other].map(({ folder }) => readFile(join(folder, 'ids'), 'utf8')));
  expect(new Set(ids.join('').trim().split('\n')).size).toBe(6);
});

const red = {
  'matrices/red.yaml': 'arch: [amd64+ppc64le]\nsuite: [red]\n',
  'suites/red/suite.yaml': `${files['suites/pair/suite.yaml']}evidence: ['printf "$(hostname) says \\033[31mso"', [uname, -m]]\n`,
};

test('of a cluster that failed everything is kept that its suite wants to know', async () => {
  await using project = await makeProject({
    ...red,
    'suites/red/red.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is red', () => expect(1).toBe(2));
`,
  });
  const { exitCode, stderr } = await project.harness(['run', 'red']);
  expect(exitCode, stderr).toBe(1);
  const [cell] = (await project.results()).cells;
  const place = 'cells/amd64+ppc64le/vm/red';
  expect(cell?.nodes).toMatchObject({ n1: { arch: 'amd64' }, n2: { arch: 'ppc64le' } });
  expect(cell?.artifacts).toEqual(
    expect.arrayContaining([
      `${place}/n1/journal.txt`,
      `${place}/n2/evidence-2-uname-m.txt`,
      `${place}/lan.json`,
      `${place}/n1/lan.pcap`,
    ]),
  );
  expect(await project.read(`${place}/n2/evidence-2-uname-m.txt`)).toBe('ppc64le\n');
  // A guest's output never reaches a terminal unescaped.
  const [said] = cell!.artifacts.filter((file) => file.startsWith(`${place}/n1/evidence-1-`));
  const text = await project.read(said!);
  expect(text).toMatch(/^n1 says .*so$/);
  expect(text).not.toContain('\u001b');
});

test('of a cluster whose harness was killed gc leaves nothing', async () => {
  await using project = await makeProject({
    ...red,
    'suites/red/red.scenario.ts': `import { test } from 'multiarch-harness';
test('waits', ({ target }) => target.sh('sleep 1000', { seconds: 100 }));
`,
  });
  const killed = project.start(['run', 'red']);
  await project.event((event): event is StoredEvent & TestStarted => event.type === 'test.started');
  const machines = await Promise.all(
    ['n1', 'n2'].map(
      async (node) => JSON.parse(await project.read(`cells/amd64+ppc64le/vm/red/${node}/target.json`)) as VmHandle,
    ),
  );
  killed.kill('SIGKILL');
  await killed;
  expect((await project.harness(['gc'])).stdout).toContain('removed');
  expect(machines.map(isAlive)).toEqual([false, false]);
  for (const { controlSocket } of machines) await expect(stat(controlSocket)).rejects.toThrow('ENOENT');
  // The ssh processes end by themselves once they notice.
  await retryUntil(async () => expect(await leftovers(project.folder)).toEqual([]), { deadlineMs: 60_000 });
});
