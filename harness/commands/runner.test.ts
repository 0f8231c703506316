import { chmod } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { thisHost } from '../testing/this-host.ts';
import { judge } from './judge.ts';
import { runCommand } from './runner.ts';

/** Runs a command and returns its output, too. */
async function run(argv: readonly string[], given: { deadlineMs?: number; env?: Record<string, string> } = {}) {
  await using host = await thisHost();
  const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const end = await runCommand(host.target, {
    workspace: host.workspace,
    argv,
    env: given.env ?? {},
    deadlineMs: given.deadlineMs ?? 60_000,
    signal: new AbortController().signal,
    onOutput: (stream, chunk) => printed[stream].push(chunk),
  });
  return { ...end, stdout: Buffer.concat(printed.stdout), stderr: Buffer.concat(printed.stderr).toString(), host };
}
const sh = (script: string, given?: Parameters<typeof run>[1]) => run(['sh', '-c', script], given);

test('a command has two separate streams, an exit code, no input and its own environment', async () => {
  const end = await sh('echo out; echo err >&2; cat; echo "$PWD $HOME $A"; exit 3', { env: { A: 'a=b c' } });
  expect(end.stdout.toString()).toBe(`out\n${end.host.folder}/source ${end.host.folder}/home a=b c\n`);
  expect(end.stderr).toBe('err\n');
  expect(end).toMatchObject({ exitCode: 3, late: false, left: [], lostBytes: 0 });
  expect(end.freeBytes).toBeGreaterThan(0);
  expect(end.freeFiles).not.toBe(0);
});

test('every byte of output arrives unchanged', async () => {
  const { stdout } = await run(['perl', '-e', 'print pack "C*", map { $_ % 256 } 0 .. 99_999']);
  expect(stdout.equals(Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256)))).toBe(true);
});

test('arguments arrive unchanged', async () => {
  const odd = ['--', '-n', 'a b', '"', "'", '$HOME', 'a\nb', 'é', ''];
  const { stdout } = await run(['perl', '-e', 'print map { "<$_>" } @ARGV', ...odd]);
  // Perl takes the first -- for itself.
  expect(stdout.toString()).toBe(
    odd
      .slice(1)
      .map((one) => `<${one}>`)
      .join(''),
  );
});

test('a missing command, or one that cannot be run, is an error', async () => {
  expect(await run(['no-such-command'])).toMatchObject({
    exitCode: 127,
    problem: 'no-such-command: No such file or directory',
  });
  expect((await run(['/etc/passwd'])).problem).toContain('Permission denied');
});

test('a command killed by a signal names it', async () => {
  const end = await sh('kill -9 $$');
  expect(end.signal).toBe(9);
  expect(end).not.toHaveProperty('exitCode');
});

test('a command that hangs is ended at its deadline, with everything that it started, and its output is kept', async () => {
  const end = await sh('trap "" TERM; echo before; sleep 300 & setsid sleep 300 & wait', { deadlineMs: 1000 });
  expect(end).toMatchObject({ late: true });
  expect(end.stdout.toString()).toBe('before\n');
  expect(end.durationMs).toBeLessThan(30_000);
});

test('processes that it leaves running are ended and named, without delaying it', async () => {
  const end = await sh('sleep 301 & setsid nohup sleep 302 >/dev/null 2>&1 & echo done');
  expect(end).toMatchObject({ exitCode: 0, late: false });
  expect(end.left).toHaveLength(2);
  expect(end.stdout.toString()).toBe('done\n');
});

test('a daemon with a cleared environment is ended, too', async () => {
  const daemon = 'env -i setsid sh -c "sleep 303 & sleep 304" >/dev/null 2>&1 &';
  // Until both are what they are to be; nothing else has a word that is just this number.
  const both = '[ $(grep -lxzE "30[34]" /proc/[0-9]*/cmdline 2>/dev/null | wc -l) = 2 ]';
  const end = await sh(`sh -c '${daemon}'; until ${both}; do sleep 0.05; done; echo done`);
  expect(end).toMatchObject({ exitCode: 0, late: false });
  expect(end.left).toEqual(['sh', 'sleep', 'sleep']);
  const { stdout } = await sh('grep -l "sleep.30[34]" /proc/[0-9]*/cmdline 2>/dev/null | wc -l');
  // Those that look for it have it on their own command lines.
  expect(Number(stdout.toString())).toBeLessThanOrEqual(2);
});

test('processes that it leaves running may print forever', async () => {
  const end = await sh('yes & until [ "$(cat /proc/$!/comm)" = yes ]; do sleep 0.05; done; exit 4');
  expect(end).toMatchObject({ exitCode: 4, late: false, left: ['yes'] });
});

/** Whether this process may mount, in a namespace of its own. */
const mayMount = (await execa('unshare', ['--mount', 'true'], { reject: false })).exitCode === 0;

test.runIf(mayMount).each([
  ['that is full', 'size=1m', 'cat /dev/zero >large'],
  ['without room for another file', 'nr_inodes=20', 'for i in $(seq 30); do : >$i; done'],
])('a disk %s is seen', async (_, options, script) => {
  await using host = await thisHost();
  const small = `mount -t tmpfs -o ${options} none ${host.folder} && mkdir ${host.folder}/source && exec "$@"`;
  const exec: typeof host.target.exec = (argv, request) =>
    host.target.exec(['unshare', '--mount', 'sh', '-c', small, 'small', ...argv], request);
  const end = await runCommand(
    { ...host.target, exec },
    {
      workspace: host.workspace,
      argv: ['sh', '-c', script],
      env: {},
      deadlineMs: 60_000,
      signal: new AbortController().signal,
    },
  );
  expect(end.exitCode).not.toBe(0);
  const [complaint] = judge({ label: 'fills', end, deadlineMs: 60_000, tail: [] }).flatMap(({ attempts }) => attempts);
  expect(complaint?.errors[0]).toMatchObject({
    message: expect.stringContaining("; the machine's disk is full"),
    hint: expect.stringContaining('--disk'),
  });
});

test('endless output is cut, and the lost bytes are counted', async () => {
  const end = await sh('head -c 20000000 /dev/zero');
  expect(end.stdout.byteLength).toBe(16 * 2 ** 20);
  expect(end.lostBytes).toBe(20_000_000 - 16 * 2 ** 20);
});

test('a machine without perl is an error that names perl', async () => {
  await using host = await thisHost();
  const target = {
    ...host.target,
    exec: async () => ({ exitCode: 127, stdout: '', stderr: 'sh: perl: not found\n', durationMs: 1 }),
  };
  const work = runCommand(target, {
    workspace: host.workspace,
    argv: ['true'],
    env: {},
    deadlineMs: 1000,
    signal: new AbortController().signal,
  });
  await expect(work).rejects.toThrow('cannot run commands on the machine: its runner exited with 127');
});

test.runIf(process.getuid?.() === 0)('as another user it has that user’s groups and rights', async () => {
  await using host = await thisHost();
  const printed: Buffer[] = [];
  await chmod(host.folder, 0o755);
  await runCommand(host.target, {
    workspace: { base: host.folder, user: 'nobody' },
    argv: ['sh', '-c', 'id -un; id -gn; cat /etc/shadow || echo no'],
    env: {},
    deadlineMs: 60_000,
    signal: new AbortController().signal,
    onOutput: (stream, chunk) => void (stream === 'stdout' && printed.push(chunk)),
  });
  expect(Buffer.concat(printed).toString()).toBe('nobody\nnogroup\nno\n');
});

test('an aborted command is not waited for', async () => {
  await using host = await thisHost();
  const stop = new AbortController();
  const never = { ...host.target, exec: () => new Promise<never>(() => {}) };
  const run = runCommand(never, {
    workspace: host.workspace,
    argv: ['true'],
    env: {},
    deadlineMs: 60_000,
    signal: stop.signal,
  });
  stop.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
});
