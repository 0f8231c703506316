import { expect, test } from 'vitest';
import type { Answers } from '../../targets/memory/machine.ts';
import { runInMemory } from '../../testing/memory-run.ts';
import type { RunSuite } from './suite-process.ts';

/** A suite with a test that fails, and says this. */
const fails =
  (message: string): RunSuite =>
  async ({ context: { cell, step }, emit }) => {
    if (step !== 'scenarios') return { finished: [], files: 0 };
    const attempts = [{ verdict: 'failed', durationMs: 1, errors: [{ type: 'Error', message }] }] as const;
    const which = { cell, step, file: 'a.scenario.ts', name: 'one' } as const;
    const event = { type: 'test.finished', ...which, verdict: 'failed', durationMs: 1, attempts } as const;
    await emit(event);
    return { finished: [event], files: 1 };
  };

/** What a cell comes to whose machine answers like this when its test has failed. */
async function blamed(answers: Answers, message = 'expected 1 to be 2'): Promise<string> {
  await using run = await runInMemory({ machines: { answers }, runSuite: fails(message) });
  return `${run.cell.verdict}: ${run.cell.reason}`;
}

const MEMORY = 'cat /proc/uptime && { dmesg | grep -F "Out of memory: Killed process" | tail -n 5; }; true';
const DISK =
  "df -Pk / /var /tmp /home /srv /root 2>/dev/null | awk 'NR > 1 && $4 == 0 && $2 > 0 {print $6}' | sort -u; journalctl --no-pager --quiet --lines=300 --output=cat 2>/dev/null | grep -m 1 -F 'No space left on device'; true";
const SUITES_FAULT = 'failed: 1 of 1 scenarios failed';

test('a test that fails on a machine that is well is the suite’s', async () => {
  expect(await blamed({ [MEMORY]: { stdout: '1000.00 900.00\n' }, [DISK]: {} })).toBe(SUITES_FAULT);
});

test('a kernel that killed for memory while the suite ran is named, an earlier time is not', async () => {
  const killed = (at: string) => ({
    [MEMORY]: {
      stdout: `1000.00 900.00\n[  ${at}] Out of memory: Killed process 812 (perl) total-vm:1kB, anon-rss:1kB\n`,
    },
  });
  expect(await blamed(killed('999.512345'))).toBe(
    'infra: cannot go on with the machine: it ran out of memory, and its kernel killed perl (process 812)',
  );
  expect(await blamed(killed('900.512345'))).toBe(SUITES_FAULT);
});

test('a disk is named that is full and stopped somebody: a test that only fills it is about that', async () => {
  const full = { [DISK]: { stdout: '/\n' } };
  const named = 'infra: cannot go on with the machine: its disk is full (/)';
  expect(await blamed(full, 'dd: writing: No space left on device')).toBe(named);
  expect(await blamed(full, 'ENOSPC: no space left on device, write')).toBe(named);
  expect(await blamed({ [DISK]: { stdout: '/\npostgres: No space left on device\n' } })).toBe(named);
  expect(await blamed(full, 'expected 500 to be 507')).toBe(SUITES_FAULT);
  expect(await blamed({ [DISK]: {} }, 'No space left on device')).toBe(SUITES_FAULT);
});

test('a cell whose test lost its machine says how', async () => {
  const loses: RunSuite = async ({ context: { cell, step }, emit }) => {
    if (step !== 'scenarios') return { finished: [], files: 0 };
    const errors = [{ type: 'InfraError', message: 'cannot finish `true`: the SSH connection was lost' }];
    const which = { cell, step, file: 'a.scenario.ts', name: 'one' } as const;
    const attempts = [{ verdict: 'infra', durationMs: 1, errors }] as const;
    const event = { type: 'test.finished', ...which, verdict: 'infra', durationMs: 1, attempts } as const;
    await emit(event);
    return { finished: [event], files: 1 };
  };
  await using run = await runInMemory({ runSuite: loses });
  expect(run.cell.reason).toBe('1 of 1 scenarios failed: cannot finish `true`: the SSH connection was lost');
});

test('a machine that answers nothing any more is named, unless the suite has switched it off', async () => {
  let silent = false;
  const answers: Answers = { true: () => (silent ? { after: 'never' } : {}) };
  const goesSilent =
    (runSuite: RunSuite): RunSuite =>
    (options) => {
      silent = true;
      return runSuite(options);
    };
  const limits = { scale: 1 };
  await using run = await runInMemory({
    ...{ machines: { answers, can: ['root'] }, limits, runSuite: goesSilent(fails('timed out')) },
    run: { bench: false },
  });
  expect(run.cell).toMatchObject({ verdict: 'infra' });
  expect(run.cell.reason).toBe(
    'cannot go on with the machine of amd64/memory/s: it no longer answers commands: cannot finish `true`: no end after 5.0 s',
  );
  silent = false;
  // Who has a power supply that cannot be asked may have used it.
  await using off = await runInMemory({
    ...{ machines: { answers, can: ['root', 'power'] }, limits, runSuite: goesSilent(fails('timed out')) },
    run: { bench: false },
  });
  expect(off.cell).toMatchObject({ verdict: 'failed' });
});
