import { execa } from 'execa';
import { expect, test } from 'vitest';
import { countedArgv, readCounter, readTimer, timedArgv } from './guest-timer.ts';

/** Runs argv here as a target would: perl is in every Debian, on the controller too. */
async function exec(argv: readonly string[]) {
  const [file, ...args] = argv;
  const { exitCode, stdout, stderr } = await execa(file!, args, { reject: false, stdin: 'ignore' });
  return { exitCode: exitCode ?? -1, stdout, stderr, durationMs: 0 };
}

test('a command is timed the given number of times, and its clock is measured', async () => {
  const { ms, clock } = readTimer(await exec(timedArgv(['sh', '-c', 'echo harness-timer 5'], 1, 3)), 4, 'echo');
  expect(ms).toHaveLength(4);
  expect(Math.min(...ms)).toBeGreaterThan(0);
  expect(clock.resolutionMs).toBeGreaterThan(0);
  expect(clock.overheadMs).toBeGreaterThan(0);
});

test('a command that fails in its third run is named, with the runs before it', async () => {
  const command = ['sh', '-c', 'echo x >> "$0"; test $(wc -l < "$0") -lt 3 || { echo oh >&2; exit 7; }'];
  const file = (await exec(['mktemp'])).stdout;
  const result = await exec(timedArgv([...command, file], 1, 4));
  await exec(['rm', file]);
  expect(() => readTimer(result, 5, 'it')).toThrow(
    /^cannot time `it`: it exited with 7 in run 3 of 5, after [\d.]+ (s|ms|µs), [\d.]+ (s|ms|µs): oh$/,
  );
});

test('a missing command is named', async () => {
  const result = await exec(timedArgv(['/no/such/command'], 0, 2));
  expect(() => readTimer(result, 2, 'it')).toThrow('cannot time `it`: it exited with');
});

test('without perl the error has the message of the shell', () => {
  const result = { exitCode: 127, stdout: '', stderr: 'perl: not found', durationMs: 1 };
  expect(() => readTimer(result, 2, 'it')).toThrow('cannot time `it`: perl: not found');
});

test('the counter counts warm-up and samples, and refuses a command that waits', async () => {
  // How idle this host and its disks are does not matter here.
  const counted = await exec(countedArgv(['true'], 1, 3));
  const stdout = counted.stdout.replace(/^(harness-(?:idle|disk)) \d+$/gm, '$1 0');
  expect(stdout.match(/^harness-(?:idle|disk) 0$/gm)).toHaveLength(2);
  const { ms } = readCounter({ ...counted, stdout }, 1, 3, 'true');
  expect(ms).toHaveLength(4);
  const told = (idle: number, disk: number) => ({
    exitCode: 0,
    stdout: `harness-clock 0.000000001 0.000000100\nharness-timer 1\nharness-idle ${idle}\nharness-disk ${disk}`,
    stderr: '',
    durationMs: 1,
  });
  expect(readCounter(told(2, 4), 0, 1, 'it').ms).toEqual([1000]);
  expect(() => readCounter(told(50, 4), 0, 1, 'it')).toThrow('the machine was idle for 50 % of the time');
  expect(() => readCounter(told(2, 5), 0, 1, 'it')).toThrow('it waits for the disk, 5 times a run');
});
