import { randomUUID } from 'node:crypto';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Results } from '../reports/results-schema.ts';
import { cloneMachines, newestSnapshot } from './support/clones.ts';
import { makeProject, type TestProject } from './support/project.ts';

/** Facts that a scenario found in its guest, one JSON line per cell and run. */
interface Seen {
  readonly cell: string;
  readonly marker: string;
  readonly machineId: string;
  readonly hostKey: string;
  readonly random: string;
  readonly skewMs: number;
  readonly secondMs: number;
}

/** Delay for copying files, to simulate saving a machine on a slow disk. */
const STILL_SECONDS = 3;

/** Runs the matrix, which must pass; otherwise its output is the error message. */
async function runWarm(project: TestProject, ...options: string[]): Promise<Results> {
  const { exitCode, stderr } = await project.harness(['run', 'warm', ...options]);
  expect(exitCode, stderr).toBe(0);
  return project.results();
}

/** A project with snapshots of its own: the deployed stack is part of a snapshot's key. */
function warmProject(arch: string): Promise<TestProject> {
  return makeProject({
    'matrices/warm.yaml': `arch: [${arch}]\nsuite: [warm]\n`,
    'suites/warm/suite.yaml': `machine: {vcpus: 1, memory: 256}
stack:
  commands:
    # In memory only: a guest that was booted again does not have it.
    - echo ${randomUUID()} $(cat /proc/sys/kernel/random/boot_id) > /run/marker
  ready: [{command: test -e /run/marker}]
`,
    'suites/warm/warm.scenario.ts': `import { appendFileSync } from 'node:fs';
import { expect, test } from 'multiarch-harness';
test('is a machine of its own', async ({ target }) => {
  const before = Date.now();
  const guest = 1000 * Number(await target.sh('date +%s.%N'));
  const skewMs = guest < before ? guest - before : Math.max(0, guest - Date.now());
  const begun = performance.now();
  await target.sh('sleep 1');
  const secondMs = performance.now() - begun;
  const [marker, machineId, hostKey, random] = (
    await target.sh('cat /run/marker /etc/machine-id; sha256sum < /etc/ssh/harness_host_key; head -c 16 /dev/urandom | sha256sum')
  ).split('\\n');
  expect(await target.sh('hostname')).toBe(\`\${target.arch.name}-warm\`);
  const seen = { cell: target.name, marker, machineId, hostKey, random, skewMs, secondMs };
  appendFileSync(new URL('../../seen.jsonl', import.meta.url), JSON.stringify(seen) + '\\n');
});
`,
  });
}

const seenIn = async (project: TestProject): Promise<Seen[]> =>
  (await readFile(join(project.folder, 'seen.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Seen);

const warnings = ({ cells }: Results) => cells.flatMap(({ logs }) => logs.map(({ message }) => message));

test('the second run resumes on every architecture, and every resumed machine is one of its own', async () => {
  await using project = await warmProject('amd64, arm64, ppc64le');
  const cold = await project.harness(['run', 'warm']);
  expect(cold.stderr).not.toContain('no snapshot was saved');
  expect(cold.exitCode).toBe(0);
  expect((await project.results()).cells.map(({ facts }) => facts?.resumed)).toEqual([undefined, undefined, undefined]);

  const { cells } = await runWarm(project);
  for (const { facts, steps } of cells) {
    expect(facts?.resumed).toMatch(/^\d{4}-/);
    expect(steps.find(({ step }) => step === 'deploy')).toMatchObject({
      verdict: 'skipped',
      note: 'in the snapshot',
    });
  }
  for (const arch of ['amd64', 'arm64', 'ppc64le']) {
    const seen = (await seenIn(project)).filter(({ cell }) => cell.startsWith(`${arch}/`));
    expect(seen).toHaveLength(2);
    const [booted, resumed] = seen as [Seen, Seen];
    expect(resumed.marker).toBe(booted.marker);
    expect(Math.abs(resumed.skewMs)).toBeLessThan(1000);
    expect(resumed.secondMs).toBeGreaterThan(900);
    for (const own of ['machineId', 'hostKey', 'random'] as const)
      expect(resumed[own], `${arch} ${own}`).not.toBe(booted[own]);
  }
});

test('ten machines from one snapshot run at the same time, and no two are alike', async () => {
  const clones = await cloneMachines('arm64', 10, 2);
  expect(clones.filter(({ skewMs }) => Math.abs(skewMs) >= 1000)).toEqual([]);
  for (const own of ['machineId', 'hostKey', 'random'] as const)
    expect(new Set(clones.map((clone) => clone[own])).size, own).toBe(10);
});

describe('one snapshot, from when it is saved until it is dropped', () => {
  let project: TestProject;
  beforeAll(async () => {
    project = await warmProject('amd64');
  });
  afterAll(() => project[Symbol.asyncDispose]());

  test('a machine that stood still while it was saved has the right time afterwards', async () => {
    const programs = join(project.folder, 'programs');
    await mkdir(programs);
    await writeFile(join(programs, 'cp'), `#!/bin/sh\nsleep ${STILL_SECONDS}\nexec /bin/cp "$@"\n`, { mode: 0o755 });
    const { exitCode, stderr } = await project.harness(['run', 'warm'], { PATH: `${programs}:${process.env['PATH']}` });
    expect(stderr).not.toContain('no snapshot was saved');
    expect(exitCode, stderr).toBe(0);
    const [seen] = await seenIn(project);
    expect(Math.abs(seen!.skewMs)).toBeLessThan(1000);
  });

  test('deadlines that were stretched by a busy moment are measured again when the machine is resumed', async () => {
    const file = join(await newestSnapshot(project, 'amd64 warm'), 'scale.json');
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), factor: 100 }));

    const results = await runWarm(project);
    const [cell] = results.cells;
    expect(cell?.facts?.resumed).toBeDefined();
    expect(cell?.scale?.factor).toBeLessThan(100);
    expect(warnings(results)).toEqual([
      expect.stringMatching(/^deadlines × [\d.]+, not × 100 as when the snapshot was saved: measured again$/),
    ]);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ factor: cell?.scale?.factor, source: 'snapshot' });
  });

  test('a snapshot that does not load is dropped with a warning, and the cell starts cold', async () => {
    await truncate(join(await newestSnapshot(project, 'amd64 warm'), 'warm/devices'), 1000);

    const results = await runWarm(project);
    expect(results.cells[0]?.facts?.resumed).toBeUndefined();
    expect(warnings(results)).toEqual([expect.stringMatching(/^its snapshot was dropped, so it starts cold: cannot /)]);

    // The cold start has saved a good snapshot.
    expect((await runWarm(project)).cells[0]?.facts?.resumed).toBeDefined();

    const forced = await runWarm(project, '--cold');
    expect(forced.cells[0]?.facts?.resumed).toBeUndefined();
    expect(warnings(forced)).toEqual([]);
  });
});
