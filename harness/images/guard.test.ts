import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { retryUntil } from '../base/time.ts';
import { type BuildLimits, isDeath, OverrunError, runGuarded } from './guard.ts';

const MIB = 2 ** 20;
const wide: BuildLimits = { memoryBytes: 512 * MIB, totalMs: 60_000, silentMs: 60_000 };

/** Runs a shell script as if it were the postinst of a package. */
async function postinst(script: string, limits: Partial<BuildLimits> = {}) {
  const lines: string[] = [];
  // The script's own name is what its process shows as its first argument.
  const argv = ['sh', '-c', script, '/var/lib/dpkg/info/greedy.postinst'];
  const ended = await runGuarded(
    argv,
    { ...wide, ...limits },
    { purpose: 'install greedy for arm64', onLine: (line) => void lines.push(line) },
  ).catch((error: Error) => error);
  return { ended, lines };
}

test('a command within its limits succeeds, and its lines are reported as they come', async () => {
  expect(await postinst('echo one; echo two >&2')).toEqual({ ended: undefined, lines: ['one', 'two'] });
});

test('a child that keeps growing is killed before it reaches twice the limit, though its script hides that', async () => {
  // A MiB in 10 ms at most: how late a busy host looks is not what is tested.
  const grow = `perl -e 'my @x; while (1) { push @x, "x" x (1 << 20); select undef, undef, undef, 0.01 }' > /dev/null 2>&1 || true; echo went on`;
  const { ended, lines } = await postinst(`(${grow}); sleep 1000`, { memoryBytes: 100 * MIB });
  expect(ended).toBeInstanceOf(OverrunError);
  expect(ended).toMatchObject({ package: 'greedy', hint: '`images.build-memory` of the matrix is the limit.' });
  expect(ended?.message).toMatch(
    /^cannot install greedy for arm64: while greedy was set up, perl -e .* took 1\d\d MiB of memory, and 100 MiB is allowed$/,
  );
  expect(lines).toEqual([]);
});

test('memory that children inherit is counted once', async () => {
  const share = `perl -e 'my $x = "x" x (60 << 20); for (1 .. 5) { fork or do { sleep 2; exit } } 1 while wait > 0'`;
  expect((await postinst(share, { memoryBytes: 200 * MIB })).ended).toBeUndefined();
});

test('a command that is silent or runs for too long is killed, with everything that it started', async () => {
  const silent = await postinst('echo begun; sleep 987 & echo $!; wait', { silentMs: 2000 });
  expect(silent.ended?.message).toMatch(/while greedy was set up, sleep 987 said nothing for [\d.]+ s$/);
  const child = Number(silent.lines[1]);
  await retryUntil(() => expect(readFile(`/proc/${child}/stat`)).rejects.toThrow(), { deadlineMs: 30_000 });
  const endless = await postinst('while :; do echo on; sleep 0.05; done', { totalMs: 300 });
  expect(endless.ended?.message).toMatch(/it took longer than 300 ms; .* was running$/);
});

test.each([
  'sh -c "kill -KILL \\$\\$"; true',
  'echo "qemu: uncaught target signal 11 (Segmentation fault) - core dumped" >&2',
])('a child that a signal ended fails the build, though its script went on: %s', async (script) => {
  const { ended } = await postinst(script);
  expect(ended?.message).toMatch(
    /^cannot install greedy for arm64: a process was killed, but the script that started it continued: (Killed|qemu: )/,
  );
});

test.each([
  ['Killed', true],
  ['Segmentation fault (core dumped)', true],
  ['/var/lib/dpkg/info/a.postinst: line 230:  4711 Killed                  mariadbd --bootstrap', true],
  ['/var/lib/dpkg/info/a.postinst: 12: Aborted', true],
  ['qemu: uncaught target signal 6 (Aborted) - core dumped', true],
  ['Setting up killall (1.0) ...', false],
  ['Killed processes are restarted by systemd', false],
  ['Aborted connections are logged', false],
])('%s', (line, expected) => {
  expect(isDeath(line)).toBe(expected);
});

test('a command that fails by itself says why', async () => {
  const { ended } = await postinst('echo no luck >&2; exit 3');
  expect(ended?.message).toBe(
    'cannot install greedy for arm64: sh -c echo no luck >&2; exit 3: it exited with 3\nno luck',
  );
});
