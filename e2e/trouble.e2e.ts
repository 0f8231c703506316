import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import type { Results } from '../reports/results-schema.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml, type TestProject } from './support/project.ts';

const suites = ['ok', 'fails', 'waits', 'spins', 'never-ready', 'bad-service', 'panics', 'killed', 'halts'];
const scenario = (body: string) => `import { expect, test } from 'multiarch-harness';\n${body}\n`;

const files = {
  'matrices/trouble.yaml': matrixYaml(suites),
  'suites/ok/suite.yaml': suiteYaml(),
  'suites/ok/a.scenario.ts': scenario(
    `test('one and one', async ({ target }) => { expect(await target.sh('echo $((1 + 1))')).toBe('2'); });`,
  ),
  'suites/fails/suite.yaml': suiteYaml(),
  'suites/fails/a.scenario.ts': scenario(
    `test('holds', () => {});\ntest('is <red> & "quoted"', async ({ target }) => { expect(await target.sh('echo three')).toBe('four'); });`,
  ),
  'suites/waits/suite.yaml': suiteYaml('timeouts: {test: 0.5}'),
  'suites/waits/a.scenario.ts': scenario(
    `test('waits for ever', () => new Promise(() => {}));\ntest('comes after', () => {});`,
  ),
  'suites/spins/suite.yaml': suiteYaml('timeouts: {test: 0.2}'),
  'suites/spins/a.scenario.ts': scenario(
    `test('comes before', () => {});\ntest('spins for ever', () => { for (;;); });\ntest('is never reached', () => {});`,
  ),
  'suites/never-ready/suite.yaml': suiteYaml(`stack:
  ports: {http: 80}
  ready:
    - {name: nobody listens, http: {port: http}, seconds: 0.3}`),
  'suites/never-ready/a.scenario.ts': scenario(`test('is not reached', () => {});`),
  'suites/bad-service/suite.yaml': suiteYaml(`stack:
  files:
    - path: /etc/systemd/system/broken.service
      content: "[Service]\\nExecStart=/bin/false\\nType=oneshot\\n"
  services: [broken]`),
  'suites/bad-service/a.scenario.ts': scenario(`test('is not reached', () => {});`),
  'suites/panics/suite.yaml': suiteYaml(),
  'suites/panics/a.scenario.ts': scenario(
    `test('crashes the kernel', async ({ target }) => { await target.sh('echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 1000', { seconds: 100 }); });`,
  ),
  'suites/killed/suite.yaml': suiteYaml(),
  'suites/killed/a.scenario.ts': scenario(
    `test('loses its machine', async ({ target }) => { await target.sh('sleep 1000', { seconds: 100 }); });`,
  ),
  'suites/halts/suite.yaml': suiteYaml(),
  'suites/halts/a.scenario.ts': scenario(
    `test('takes a machine that is switched off for its own fault', async ({ target }) => { await target.sh('poweroff -f', { seconds: 100 }).catch(() => { throw new Error('no page'); }); });`,
  ),
};

let project: TestProject;
let results: Results;
let exitCode: number | undefined;

/** Kills a cell's QEMU once its test runs, as an out-of-memory killer would. */
async function killMachineOf(cell: string): Promise<void> {
  await project.event(
    (event): event is StoredEvent & TestStarted => event.type === 'test.started' && event.cell === cell,
  );
  const { pid } = JSON.parse(await project.read(join('cells', cell, 'target.json'))) as { pid: number };
  process.kill(pid, 'SIGKILL');
}

beforeAll(async () => {
  project = await makeProject(files);
  const run = project.start(['run', 'trouble', '--jobs', '4', '--cold']);
  await killMachineOf('amd64/vm/killed');
  ({ exitCode } = await run);
  results = await project.results();
});
afterAll(() => project[Symbol.asyncDispose]());

const cell = (name: string) => {
  const found = results.cells.find((one) => one.name === `amd64/vm/${name}`);
  if (!found) throw new Error(`no cell ${name}`);
  return found;
};
const stepError = (name: string) => cell(name).steps.find((step) => step.error)?.error;

test('a failing cell makes the run red, and only the failing ones are', () => {
  expect(exitCode).toBe(1);
  const verdicts = Object.fromEntries(results.cells.map((one) => [one.suite, one.verdict]));
  const reasons = results.cells.map((one) => `${one.suite}: ${one.reason}`).join('\n');
  expect(verdicts, reasons).toEqual({
    ok: 'passed',
    fails: 'failed',
    waits: 'failed',
    spins: 'failed',
    'never-ready': 'failed',
    'bad-service': 'failed',
    panics: 'infra',
    killed: 'infra',
    halts: 'infra',
  });
});

test('nothing of the run is left: no process, no socket, no overlay', async () => {
  expect(await leftovers(project.folder)).toEqual([]);
});

describe('a failing assertion', () => {
  test('is in results.json with its place and its diff', () => {
    const [holds, red] = cell('fails').tests;
    expect(holds).toMatchObject({ name: 'holds', verdict: 'passed' });
    expect(red).toMatchObject({ name: 'is <red> & "quoted"', verdict: 'failed', file: 'a.scenario.ts' });
    const error = red?.attempts[0]?.errors[0];
    expect(error).toMatchObject({ type: 'AssertionError', file: 'a.scenario.ts', line: 3 });
    expect(error?.message).toContain("expected 'three' to be 'four'");
  });

  test('is a failure in junit.xml, and text in the page', async () => {
    const junit = await project.read('junit.xml');
    expect(junit).toMatch(/<testcase[^>]*name="is &lt;red(>|&gt;) &amp; &quot;quoted&quot; \[amd64\/vm\/fails\]"/);
    expect(junit).toContain(
      '<failure message="expected &apos;three&apos; to be &apos;four&apos;'.replaceAll(
        '&apos;',
        junit.includes('&apos;') ? '&apos;' : "'",
      ),
    );
    const page = await project.read('index.html');
    expect(page).toContain('is &lt;red&gt; &amp; &quot;quoted&quot;');
    expect(page).not.toContain('is <red>');
    expect(await project.read('summary.md')).toContain('amd64/vm/fails');
  });
});

describe('a scenario that hangs', () => {
  test('by waiting: it fails at its deadline, and the next one runs', () => {
    const [waits, after] = cell('waits').tests;
    expect(waits).toMatchObject({ verdict: 'failed' });
    expect(waits?.attempts[0]?.errors[0]?.message).toContain('Test timed out in 5000ms');
    expect(after).toMatchObject({ name: 'comes after', verdict: 'passed' });
  });

  test('by spinning: its process is ended, and what it kept from running is shown', () => {
    const [before, spins, never] = cell('spins').tests;
    expect(before).toMatchObject({ verdict: 'passed' });
    // 2 s of its own and 15 of grace, or more where the host was busy.
    expect(spins?.attempts[0]?.errors[0]?.message).toMatch(
      /^a\.scenario\.ts > spins for ever hangs: it was silent for (1[7-9]|[2-9]\d) s; its process was ended$/,
    );
    expect(never).toMatchObject({ name: 'is never reached', verdict: 'incomplete' });
    expect(results.counts.neverRan).toBeGreaterThanOrEqual(1);
  });
});

test('a readiness check that never comes true', () => {
  const error = stepError('never-ready');
  expect(error?.message).toMatch(
    /^cannot use the stack: the readiness check "nobody listens" did not pass within 3\.0 s: /,
  );
  expect(error?.hint).toBe('It has 0.3 native seconds, times 10.0 for this target: `seconds:` in suite.yaml.');
});

test('a service that does not start: its journal says why', () => {
  const error = stepError('bad-service');
  expect(error?.message).toMatch(/^cannot start broken: /);
  expect(error?.causes?.join('\n')).toContain('status=1/FAILURE');
  expect(cell('bad-service').artifacts).toContain('cells/amd64/vm/bad-service/journal.txt');
});

test('a guest that panics', () => {
  expect(stepError('panics')?.message).toBe('cannot go on with the guest: the kernel panicked');
  expect(stepError('panics')?.consoleTail?.join('\n')).toContain('Kernel panic - not syncing: sysrq triggered crash');
  expect(cell('panics').tests[0]).toMatchObject({ verdict: 'infra' });
});

test('QEMU killed from outside', () => {
  expect(stepError('killed')?.message).toBe('cannot go on with the guest: QEMU is gone, it was ended by SIGKILL');
  expect(cell('killed').tests[0]).toMatchObject({ verdict: 'infra' });
});

test('a guest that switches itself off, also where a test took that for a failure of what it tests', () => {
  expect(stepError('halts')?.message).toMatch(
    /^cannot go on with the guest: (it switched itself off|QEMU is gone, it exited with 0)$/,
  );
});

test('every report can be made again from the events', async () => {
  const before = await project.read('results.json');
  const { exitCode: again } = await project.harness(['report']);
  expect(again).toBe(1);
  expect(await project.read('results.json')).toBe(before);
  const summary = await readFile(join(project.folder, '.harness/runs/latest/summary.md'), 'utf8');
  expect(summary).toContain('spins for ever');
  expect(summary).toContain('npx harness run matrices/trouble.yaml --cold --only ');
});
