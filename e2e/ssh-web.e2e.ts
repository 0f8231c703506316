import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArchName, usualArchs } from '../harness/arch/index.ts';
import type { Results } from '../reports/results-schema.ts';
import { WHOLE } from './support/part-of-suite.ts';
import { makeProject, type TestProject, troubles } from './support/project.ts';
import { type StandIn, standIns, writeInventory } from './support/stand-in.ts';

/** A foreign one does where there is little time: ssh.e2e.ts has real-amd64. */
const ARCHS: readonly ArchName[] = WHOLE ? usualArchs : ['ppc64le'];

let project: TestProject;
let machines: StandIn[] = [];
let results: Results;

beforeAll(async () => {
  project = await makeProject({});
  machines = await standIns(project, ARCHS);
  await writeInventory(project, machines);
});
afterAll(async () => {
  await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
  await project?.[Symbol.asyncDispose]();
});

test('web passes on machines that exist, as their own user over a jump host, their power cut by commands', async () => {
  const { stderr } = await project.harness([
    'run',
    '--suite',
    'web',
    '--target',
    'ssh',
    '--arch',
    ARCHS.join(','),
    '--no-bench',
  ]);
  results = await project.results();
  expect(troubles(results), stderr).toEqual([]);
  expect(results.cells.map(({ name }) => name)).toEqual(ARCHS.map((arch) => `${arch}/ssh/web`));
  for (const { arch, facts, tests } of results.cells) {
    expect(tests.length).toBeGreaterThan(15);
    expect(tests.filter(({ verdict }) => verdict === 'skipped')).toEqual([]);
    // An emulated machine is reported as such, however it is reached.
    expect(facts).toMatchObject({ arch, kind: 'ssh', accelerator: 'tcg', machine: `real-${arch}` });
  }
});

test('the machines are restored, and the report says what remains', async () => {
  for (const { steps } of results.cells)
    expect(steps.find(({ step }) => step === 'release')?.note).toMatch(
      /^real-\w+: \d+ changes undone; remaining: files written by stack commands/,
    );
  for (const { target } of machines) {
    const asked = 'systemctl is-active app; ls /etc/systemd/system/app.service; head -n 1 /etc/nginx/nginx.conf';
    const { stdout } = await target.exec(['sh', '-c', asked], { deadlineMs: 60_000 });
    expect(stdout).toBe('inactive\nuser www-data;\n');
  }
});
