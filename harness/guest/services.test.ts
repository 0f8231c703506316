import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from '../base/process.ts';
import { retryUntil } from '../base/time.ts';

const programs = join(import.meta.dirname, 'services');
let root: string;
let manager: ReturnType<typeof startManager>;

function startManager() {
  return execa('perl', [join(programs, 'manager.pl')], { env: { HARNESS_ROOT: root }, reject: false, all: true });
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'harness-services-'));
  manager = startManager();
  await retryUntil(() => readFile(join(root, 'run/harness/journal')), { deadlineMs: 60_000 });
  await symlink(join(programs, 'client.pl'), join(root, 'systemctl'));
  await symlink(join(programs, 'client.pl'), join(root, 'journalctl'));
});
afterEach(async () => {
  manager.kill('SIGTERM');
  await manager;
  await rm(root, { recursive: true, force: true });
});

async function unit(name: string, lines: string): Promise<void> {
  const file = join(root, 'etc/systemd/system', name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, lines);
}
const run = async (program: string, ...args: string[]) => {
  const { exitCode, stdout, stderr } = await execa('perl', [join(root, program), ...args], {
    env: { HARNESS_ROOT: root },
    reject: false,
  });
  return { exitCode, stdout, stderr };
};
const systemctl = (...args: string[]) => run('systemctl', ...args);
const state = async (name: string) => (await systemctl('is-active', name)).stdout;
const pidOf = async (name: string) => Number((await systemctl('show', '-p', 'MainPID', '--value', name)).stdout);
/** A zombie does not count as a process. */
const isThere = (pid: number) => identify(pid) !== undefined;

test('a simple service starts, is active, and is stopped with all its processes', async () => {
  await unit('a.service', `[Service]\nExecStart=/bin/sh -c "sleep 1000 & echo child $!; wait"\n`);
  expect(await systemctl('start', 'a')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(await state('a')).toBe('active');
  const said = () => run('journalctl', '-u', 'a', '-o', 'cat');
  const child = await retryUntil(
    async () => Number(/child (\d+)/.exec((await said()).stdout)?.[1] ?? Promise.reject(new Error('it says nothing'))),
    { deadlineMs: 60_000 },
  );
  expect(isThere(child)).toBe(true);
  await systemctl('stop', 'a');
  expect(await systemctl('is-active', 'a')).toMatchObject({ exitCode: 3, stdout: 'inactive' });
  expect(isThere(child)).toBe(false);
});

test('enable --now starts, and disable --now stops', async () => {
  await unit('a.service', `[Service]\nExecStart=/bin/sleep 1000\n`);
  expect(await systemctl('enable', 'a')).toMatchObject({ exitCode: 0 });
  expect(await state('a')).toBe('inactive');
  expect(await systemctl('enable', '--now', 'a')).toMatchObject({ exitCode: 0 });
  expect(await state('a')).toBe('active');
  expect(await systemctl('disable', 'a')).toMatchObject({ exitCode: 0 });
  expect(await state('a')).toBe('active');
  expect(await systemctl('disable', '--now', 'a')).toMatchObject({ exitCode: 0 });
  expect(await state('a')).toBe('inactive');
  expect((await systemctl('enable', '--now', 'nowhere')).exitCode).not.toBe(0);
});

test('notify: it is active only once it says so', async () => {
  const say = `use IO::Socket::UNIX; sleep 1; print qq{up\\n}; IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET})->send(qq{READY=1}); sleep 1000`;
  await writeFile(join(root, 'say.pl'), `$|=1; ${say}`);
  await unit('n.service', `[Service]\nType=notify\nExecStart=/usr/bin/perl ${root}/say.pl\n`);
  expect(await systemctl('start', 'n')).toMatchObject({ exitCode: 0 });
  expect((await run('journalctl', '-u', 'n', '-o', 'cat')).stdout).toMatch(/^up$/m);
});

test('forking: the process of the PID file is the main one', async () => {
  await unit(
    'f.service',
    `[Service]\nType=forking\nPIDFile=${root}/run/f.pid\nExecStart=/bin/sh -c "setsid sleep 1000 & echo $! > ${root}/run/f.pid"\n`,
  );
  expect(await systemctl('start', 'f')).toMatchObject({ exitCode: 0 });
  const pid = Number(await readFile(join(root, 'run/f.pid'), 'utf8'));
  expect(await pidOf('f')).toBe(pid);
  await systemctl('stop', 'f');
  expect(isThere(pid)).toBe(false);
});

test('oneshot: its failure fails the job, and its output is in the journal', async () => {
  await unit('o.service', `[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo no luck >&2; exit 7"\n`);
  const { exitCode, stderr } = await systemctl('start', 'o');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'Job for o.service failed: ExecStart= exited with 7',
  });
  expect((await run('journalctl', '--unit=o', '--output=cat')).stdout).toContain('no luck');
  expect(await systemctl('is-failed', 'o')).toMatchObject({ exitCode: 0, stdout: 'failed' });
  expect((await systemctl('--failed', 'list-units')).stdout).toMatch(/^o\.service +failed/);
});

test('a service that dies is restarted if configured, otherwise it has failed', async () => {
  await unit('r.service', '[Service]\nExecStart=/bin/sleep 1000\nRestart=on-failure\n');
  await unit('d.service', '[Service]\nExecStart=/bin/sleep 1000\n');
  await systemctl('start', 'r', 'd');
  const before = await pidOf('r');
  process.kill(before, 'SIGKILL');
  process.kill(await pidOf('d'), 'SIGKILL');
  const after = await retryUntil(
    async () => {
      const pid = await pidOf('r');
      if (pid === 0 || pid === before) throw new Error('it has not come back');
      return pid;
    },
    { deadlineMs: 60_000 },
  );
  expect(isThere(after)).toBe(true);
  await retryUntil(async () => expect(await state('d')).toBe('failed'), { deadlineMs: 60_000 });
});

test('a service that keeps dying is no longer restarted', async () => {
  await unit('l.service', '[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=10ms\n');
  await systemctl('start', 'l');
  await retryUntil(
    async () =>
      expect((await run('journalctl', '-u', 'l', '-o', 'cat')).stdout).toContain(
        'it was started too often and is left alone',
      ),
    { deadlineMs: 30_000 },
  );
  expect(await state('l')).toBe('failed');
});

test('reload runs its command with the main process ID, and reports its failure', async () => {
  await unit(
    'c.service',
    `[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/sh -c "echo reloading $MAINPID; test -e ${root}/good"\n`,
  );
  expect(await systemctl('reload', 'c')).toMatchObject({ exitCode: 1 });
  await systemctl('start', 'c');
  expect(await systemctl('reload', 'c')).toMatchObject({ exitCode: 1 });
  await writeFile(join(root, 'good'), '');
  expect(await systemctl('reload', 'c')).toMatchObject({ exitCode: 0 });
  expect((await run('journalctl', '-u', 'c', '-o', 'cat')).stdout).toContain(`reloading ${await pidOf('c')}`);
  expect(await state('c')).toBe('active');
});

test('order, requirements, instances, drop-ins, environment and folders', async () => {
  const note = (text: string) => `/bin/sh -c "echo ${text} >> ${root}/order"`;
  await unit('z.service', `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=${note('z')}\n`);
  await unit(
    'b@.service',
    `[Unit]\nRequires=z.service\nAfter=z.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironment="WHO=nobody at all"\nExecStart=${note(`b of %i for \${WHO}`)}\n`,
  );
  await unit('b@x.service.d/who.conf', `[Service]\nEnvironment=WHO=drop-in\nRuntimeDirectory=b/c\n`);
  expect(await systemctl('start', 'b@x')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readFile(join(root, 'order'), 'utf8')).toBe('z\nb of x for drop-in\n');
  expect((await stat(join(root, 'run/b/c'))).isDirectory()).toBe(true);
  expect(await state('z')).toBe('active');
});

test('unknown units and unsupported commands are errors', async () => {
  expect(await systemctl('start', 'nothing')).toMatchObject({ exitCode: 5, stderr: 'Unit nothing.service not found.' });
  expect(await systemctl('status', 'nothing')).toMatchObject({ exitCode: 4 });
  await unit('m.service', '[Service]\nExecStart=/nowhere/program\n');
  expect((await systemctl('start', 'm')).stderr).toContain(
    'cannot execute /nowhere/program: No such file or directory',
  );
  await unit('t.timer', '[Timer]\nOnCalendar=daily\n');
  expect((await systemctl('start', 't.timer')).stderr).toContain('is no service, and there is no systemd here');
  expect((await systemctl('isolate', 'x')).stderr).toBe('systemctl: there is no "isolate" without systemd');
  expect((await run('journalctl', '--follow')).exitCode).toBe(1);
});

test('SIGTERM stops every service', async () => {
  await unit('a.service', '[Service]\nExecStart=/bin/sleep 1000\n');
  await systemctl('start', 'a');
  const pid = await pidOf('a');
  manager.kill('SIGTERM');
  expect((await manager).exitCode).toBe(0);
  expect(isThere(pid)).toBe(false);
});
