import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Results } from '../../reports/results-schema.ts';
import { leftovers, makeProject, type TestProject } from './project.ts';

const files = {
  'matrices/pair.yaml': `arch: [amd64+ppc64le]\nsuite: [pair]\n`,
  'suites/pair/suite.yaml': `description: Two machines of two architectures on one network.
machine: {vcpus: 1, memory: 256}
nodes: {n1: {}, n2: {}}
`,
  'suites/pair/pair.scenario.ts': `import { appendFileSync } from 'node:fs';
import { eventually, expect, test } from 'multiarch-harness';

/** What a machine hears from the SSH server of another, by its name. */
const greet = (name) =>
  ['perl', '-MIO::Socket::INET', '-e', \`my $s = IO::Socket::INET->new(PeerAddr => "\${name}:22", Timeout => 3) or die "no: $@"; print scalar <$s>\`];

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
  expect((await cluster.node('n1').exec(greet('n2'))).exitCode).not.toBe(0);
  await cluster.lan.heal();
  await eventually(async () => expect((await cluster.node('n1').exec(greet('n2'))).exitCode).toBe(0), { seconds: 5 });
  expect((await cluster.lan.counters()).n2.cut).toBeGreaterThan(0);
});

test('a delay is there and goes', async ({ cluster }) => {
  await cluster.lan.impair('n2', { delayMs: 400 });
  const begun = performance.now();
  await cluster.node('n1').exec(greet('n2'));
  // There and back for the connection, and once more for the greeting.
  expect(performance.now() - begun).toBeGreaterThan(1000);
  await cluster.lan.impair('n2', {});
});

test('a machine without power is gone, and comes back', async ({ cluster }) => {
  const [n1, n2] = cluster.nodes;
  await n2.sh('echo lost > /run/note; echo kept > /var/note; sync /var/note');
  await n2.powerOff();
  expect((await n1.exec(greet('n2'))).exitCode).not.toBe(0);
  await n2.powerOn();
  expect(await n2.sh('cat /var/note; test -e /run/note || echo gone')).toBe('kept\\ngone');
  await eventually(async () => expect((await n1.exec(greet('n2'))).exitCode).toBe(0), { seconds: 5 });
});

test('a name that is none', ({ cluster }) => {
  expect(() => cluster.node('n3')).toThrow('there is no node "n3": suite.yaml names n1, n2');
});
`,
};

async function run(project: TestProject): Promise<Results> {
  const { exitCode, stderr } = await project.harness(['run', 'pair']);
  expect(exitCode, stderr).toBe(0);
  return project.results();
}

test('a cluster of two architectures: network, partition, power, and all of it again from a snapshot', async () => {
  await using project = await makeProject(files);
  const cold = await run(project);
  expect(cold.cells.map(({ name, verdict }) => [name, verdict])).toEqual([['amd64+ppc64le/vm/pair', 'passed']]);
  const warm = await run(project);
  expect(warm.cells[0]?.facts?.resumed).toMatch(/^\d{4}-/);
  expect(warm.cells[0]?.tests.map(({ verdict }) => verdict)).toEqual(Array(5).fill('passed'));
  // Resumed machines are machines of their own.
  const ids = (await readFile(join(project.folder, 'ids'), 'utf8')).trim().split('\n');
  expect(new Set(ids).size).toBe(4);
  expect(await leftovers(project.folder)).toEqual([]);
});
