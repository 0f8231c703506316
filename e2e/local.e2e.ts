import { readdir, readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import { isAlive } from '../harness/base/process.ts';
import { retryUntil } from '../harness/base/time.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import type { LocalHandle } from '../harness/targets/local/target.ts';
import { leftovers, makeProject, troubles } from './support/project.ts';

const arch = nativeArch()!.name;
const NGINX = '/etc/nginx/nginx.conf';

const files = {
  'matrices/long.yaml': `arch: [${arch}]\nsuite: [long]\ntarget: [local]\nlimits: {scale: 5}\n`,
  'suites/long/suite.yaml': `needs: [root]
machine: { memory: 64 }
stack:
  files:
    - { path: /etc/harness-was-here, content: "changed\\n" }
    - path: /etc/systemd/system/lives.service
      content: "[Service]\\nExecStart=/bin/sleep 100000\\n"
  services: [lives]
`,
  'suites/long/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is this host, and not quite', async ({ target, stack }) => {
  expect(await target.sh('cat /etc/harness-was-here; hostname')).toBe('changed\\n${arch}-long');
  expect(await stack.service('lives').isActive()).toBe(true);
});
test('takes long', async ({ target }) => { await target.sh('sleep 1000', { seconds: 100 }); });
`,
};

test('web passes on this host, with packages and files that are gone afterwards', async () => {
  await using project = await makeProject({});
  const before = await readFile(NGINX, 'utf8').catch(() => undefined);
  const { stderr } = await project.harness([
    'run',
    '--suite',
    'web',
    '--target',
    'local',
    '--arch',
    arch,
    '--no-bench',
  ]);
  const results = await project.results();
  expect(troubles(results), stderr).toEqual([]);
  const [cell] = results.cells;
  expect(cell).toMatchObject({ name: `${arch}/local/web`, facts: { kind: 'local', accelerator: 'native' } });
  expect(cell!.tests.length).toBeGreaterThan(15);
  expect(cell!.tests.filter(({ verdict }) => verdict === 'skipped').map(({ note }) => note)).toEqual([
    'nobody can cut the power of this target',
  ]);
  expect(await readFile(NGINX, 'utf8').catch(() => undefined)).toBe(before);
});

test('another architecture is impossible in under a second, and power is nothing that this host has', async () => {
  await using project = await makeProject({
    'suites/power/suite.yaml': 'needs: [power]\n',
    'suites/power/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('x', () => {});\n`,
  });
  const other = arch === 'arm64' ? 'amd64' : 'arm64';
  await project.harness(['run', '--suite', 'power', '--target', 'local', '--arch', `${arch},${other}`]);
  const { cells } = await project.results();
  expect(cells.map(({ name, verdict, reason }) => [name, verdict, reason])).toEqual(
    expect.arrayContaining([
      [
        `${arch}/local/power`,
        'unsupported',
        'the suite needs power, which a local target does not have: a target of kind vm or ssh would do',
      ],
      [`${other}/local/power`, 'unsupported', `a local target of ${other} is not possible here: this host is ${arch}`],
    ]),
  );
});

test.each(['SIGKILL', 'SIGINT'] as const)('%s leaves no process, mount or network', async (signal) => {
  await using project = await makeProject(files);
  const run = project.start(['run', 'long']);
  await project.event(
    (event): event is StoredEvent & TestStarted => event.type === 'test.started' && event.name === 'takes long',
  );
  const { first } = JSON.parse(await project.read(`cells/${arch}/local/long/target.json`)) as LocalHandle;
  expect(isAlive(first!)).toBe(true);
  run.kill(signal);
  await run;
  if (signal === 'SIGKILL') expect((await project.harness(['gc'])).exitCode).toBe(0);
  await retryUntil(async () => expect(isAlive(first!)).toBe(false), { deadlineMs: 60_000 });
  // The kernel takes a network down some time after its last process has ended.
  const cable = `hl${first!.pid}`.slice(0, 15);
  await retryUntil(async () => expect(Object.keys(networkInterfaces())).not.toContain(cable), { deadlineMs: 60_000 });
  expect(await readdir(join(project.env['HARNESS_STATE']!, 'leases'))).toEqual([]);
  expect(await leftovers(join(project.folder, '.harness'))).toEqual([]);
  await expect(stat('/etc/harness-was-here')).rejects.toThrow('ENOENT');
});
