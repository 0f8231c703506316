import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identify, isAlive } from '../harness/base/process.ts';
import { retryUntil } from '../harness/base/time.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml, type TestProject } from './support/project.ts';

const files = {
  'matrices/long.yaml': matrixYaml(['long']),
  'suites/long/suite.yaml': suiteYaml(),
  'suites/long/a.scenario.ts': `import { test } from 'multiarch-harness';
test('is done at once', () => {});
test('takes long', async ({ target }) => { await target.sh('sleep 1000', { seconds: 100 }); });
`,
};
const longRuns = (event: StoredEvent): event is StoredEvent & TestStarted =>
  event.type === 'test.started' && event.name === 'takes long';

async function machineOf(project: TestProject): Promise<{ pid: number; startTime: string }> {
  await project.event(longRuns);
  return JSON.parse(await project.read('cells/amd64/vm/long/target.json'));
}

test('SIGKILL: gc removes everything of the run, a run beside it goes on, and its events make a report', async () => {
  await using killed = await makeProject(files);
  await using beside = await makeProject(files);
  // All runs of a user share one folder of leases, in whatever project.
  const runs = [killed.start(['run', 'long']), beside.start(['run', 'long'])];
  const besideArgs = { HARNESS_STATE: killed.env['HARNESS_STATE']! };
  const machines = await Promise.all([machineOf(killed), machineOf(beside)]);
  const socketFolder = (
    JSON.parse(await killed.read('cells/amd64/vm/long/target.json')) as { controlSocket: string }
  ).controlSocket.replace(/\/ctl$/, '');

  runs[0]?.kill('SIGKILL');
  await runs[0];
  const gc = await beside.harness(['gc'], besideArgs);
  expect(gc.exitCode).toBe(0);
  await retryUntil(async () => expect(isAlive(machines[0]!)).toBe(false), { deadlineMs: 60_000 });
  await retryUntil(async () => expect(await leftovers(killed.folder)).toEqual([]), { deadlineMs: 60_000 });
  await expect(readdir(socketFolder)).rejects.toThrow('ENOENT');
  expect(await readdir(join(killed.env['HARNESS_STATE']!, 'leases'))).toEqual([]);

  expect(isAlive(machines[1]!)).toBe(true);
  const own = await beside.harness(['gc']);
  expect(own.stdout).toContain('is running, not touched');
  expect(isAlive(machines[1]!)).toBe(true);

  // Finished results are kept; what was running does not count as passed.
  const report = await killed.harness(['report']);
  expect(report.exitCode).toBe(4);
  const { cells, state } = await killed.results();
  expect(state).toBe('incomplete');
  expect(cells[0]?.tests.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['is done at once', 'passed'],
    ['takes long', 'incomplete'],
  ]);
  runs[1]?.kill('SIGINT');
  expect((await runs[1])?.exitCode).toBe(130);
});

test('Ctrl-C: every target is released, the reports are written, and the exit code is 130', async () => {
  await using project = await makeProject(files);
  const run = project.start(['run', 'long']);
  const machine = await machineOf(project);
  run.kill('SIGINT');
  expect((await run).exitCode).toBe(130);
  expect(isAlive(machine)).toBe(false);
  expect(await leftovers(project.folder)).toEqual([]);
  const results = await project.results();
  expect(results.state).toBe('interrupted');
  expect(results.cells[0]?.tests.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['is done at once', 'passed'],
    ['takes long', 'incomplete'],
  ]);
  expect(await project.read('junit.xml')).toContain('is done at once');
});

test('--keep: a failed cell stays up, can be entered, and gc ends it', async () => {
  await using project = await makeProject({
    'matrices/red.yaml': matrixYaml(['red']),
    'suites/red/suite.yaml': suiteYaml(),
    'suites/red/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is red', async ({ target }) => { await target.write('/root/mark', 'here'); expect(1).toBe(2); });
`,
  });
  const run = await project.harness(['run', 'red', '--keep']);
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toContain('npx harness shell amd64/vm/red');
  const { pid } = JSON.parse(await project.read('cells/amd64/vm/red/target.json')) as { pid: number };
  const machine = identify(pid);
  expect(machine).toBeDefined();
  const shell = await project.harness(['shell', 'amd64/vm/red', '--', 'cat', '/root/mark']);
  expect(shell).toMatchObject({ exitCode: 0, stdout: 'here' });
  // A client on this host reaches what only the machine does.
  const serve = `use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1:8123') or die;
while (my $c = $s->accept) { while (<$c>) { last if /^\\r?$/ } print $c "HTTP/1.0 200 OK\\r\\n\\r\\nthe machine"; close $c }`;
  await project.harness(['shell', 'amd64/vm/red', '--', 'systemd-run', '--quiet', 'perl', '-e', serve]);
  const ask = `const http = require('node:http'); const agent = new http.Agent({ proxyEnv: process.env });
http.get('http://127.0.0.1:8123/', { agent }, (answer) => answer.pipe(process.stdout));`;
  await retryUntil(
    async () => {
      const client = await project.harness(['shell', 'amd64/vm/red', '--here', '--', process.execPath, '-e', ask]);
      expect(client).toMatchObject({ exitCode: 0, stdout: 'the machine' });
    },
    { deadlineMs: 30_000 },
  );
  const gc = await project.harness(['gc']);
  expect(gc.stdout).toContain('qemu-system-x86_64 of amd64/vm/red');
  expect(isAlive(machine!)).toBe(false);
  // The ssh process ends by itself once it notices.
  await retryUntil(async () => expect(await leftovers(project.folder)).toEqual([]), { deadlineMs: 60_000 });
  expect(await readFile(join(project.folder, '.harness/runs/latest/events.jsonl'), 'utf8')).toContain('"note":"kept"');
});
