import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EmulatorError, InfraError } from '../../base/errors.ts';
import { memoryProvider } from '../../targets/memory/provider.ts';
import type { Io } from '../../targets/target.ts';
import { endless, passes, reports, runInMemory } from '../../testing/memory-run.ts';

const lost = () => {
  throw new InfraError('cannot finish it: the connection was lost');
};

describe('a cell that goes well', () => {
  test('takes its steps in order, and leaves nothing behind', async () => {
    await using run = await runInMemory();
    expect(run.exitCode).toBe(0);
    expect(run.steps).toEqual([
      'image passed',
      'acquire passed',
      'deploy passed',
      'scenarios passed',
      'benchmarks skipped',
      'release passed',
    ]);
    expect(run.cell).toMatchObject({ verdict: 'passed', scale: { factor: 1, source: 'fixed' }, artifacts: [] });
    expect(run.cell.facts).toMatchObject({ kind: 'memory', memoryBytes: 512 * 2 ** 20 });
    expect(run.provider.machines.map(({ life }) => life)).toEqual([['booted', 'released']]);
    expect(run.leases).toEqual([]);
  });

  test('--no-bench and a choice of benchmarks leave steps out, and say so', async () => {
    await using without = await runInMemory({ run: { bench: false } });
    expect(without.cell.steps.find(({ step }) => step === 'benchmarks')?.note).toBe('left out by --no-bench');
    await using only = await runInMemory({
      run: { tests: new Map([['amd64/memory/s', { steps: ['benchmarks'], only: [{ file: 'a.bench.ts' }] }]]) },
    });
    expect(only.cell.steps.find(({ step }) => step === 'scenarios')?.note).toBe('only benchmarks are asked for');
  });
});

describe('verdicts', () => {
  test.each([
    [['passed', 'failed'], 'failed', 1, '1 of 2 scenarios failed'],
    [['passed', 'flaky'], 'flaky', 0, '1 of 2 scenarios were flaky'],
    [['infra', 'passed'], 'infra', 3, '1 of 2 scenarios failed'],
    [['emulator', 'infra'], 'emulator', 3, '1 of 2 scenarios failed'],
    [['failed', 'emulator'], 'failed', 1, '1 of 2 scenarios failed'],
    [['skipped'], 'skipped', 4, 'no benchmarks ran'],
  ] as const)('of tests that are %j is %s, exit code %i', async (tests, verdict, exitCode, reason) => {
    await using run = await runInMemory({ runSuite: reports(...tests) });
    expect(run.exitCode).toBe(exitCode);
    expect(run.cell).toMatchObject({ verdict, reason });
    expect(run.provider.machines[0]!.life.at(-1)).toBe('released');
  });

  test('what does not work is not measured', async () => {
    await using run = await runInMemory({ runSuite: reports('failed') });
    expect(run.cell.steps.find(({ step }) => step === 'benchmarks')?.note).toBe('what does not work is not measured');
  });

  test('what a target cannot do is found before there is one, and nothing that ran is no success', async () => {
    await using run = await runInMemory({ suites: { s: { needs: ['power'] } }, machines: { can: ['root'] } });
    expect(run.exitCode).toBe(4);
    expect(run.cell.verdict).toBe('unsupported');
    expect(run.cell.reason).toMatch(/^the suite needs power, which a memory target does not have: /);
    expect(run.provider.machines).toEqual([]);
  });

  test.each([
    [
      { state: 'missing', what: 'qemu', install: 'apt-get install qemu' },
      'infra',
      'cannot start a memory: qemu is missing',
    ],
    [{ state: 'broken', why: 'the engine does not answer' }, 'infra', 'the engine does not answer'],
    [{ state: 'impossible', why: 'no' }, 'unsupported', 'a memory target of amd64 is not possible here: no'],
  ] as const)('a kind of target that is %j', async (availability, verdict, reason) => {
    await using run = await runInMemory({ machines: { availability } });
    expect(run.cell).toMatchObject({ verdict, reason });
    // No image is built for a target that there is not.
    expect(run.steps).toEqual(verdict === 'infra' ? ['acquire infra'] : []);
  });
});

describe('deployment', () => {
  test('a command of the stack that fails is the suite’s fault, and what explains it is kept', async () => {
    await using run = await runInMemory({
      suites: { s: { stack: { commands: ['a', 'b'] }, evidence: ['why'] } },
      machines: { answers: { a: {}, b: { exitCode: 2, stderr: 'no such thing\n' }, why: { stdout: 'because\n' } } },
    });
    expect(run.exitCode).toBe(1);
    expect(run.cell.reason).toBe('cannot deploy the stack: `b` exited with 2');
    const deploy = run.cell.steps.find(({ step }) => step === 'deploy');
    expect(deploy?.error).toMatchObject({ causes: ['no such thing'], consoleTail: ['the end of the console'] });
    expect(run.steps.slice(-2)).toEqual(['collect passed', 'release passed']);
    expect(run.cell.artifacts).toContain('cells/amd64/memory/s/evidence-1-why.txt');
    expect(await readFile(join(run.folder, 'cells/amd64/memory/s/evidence-1-why.txt'), 'utf8')).toBe('because\n');
  });

  test('a command that does not end in time is not waited for', async () => {
    await using run = await runInMemory({
      suites: { s: { stack: { commands: ['a'] }, timeouts: { command: 0.01 } } },
      machines: { answers: { a: { after: 'never' } } },
    });
    expect(run.cell).toMatchObject({ verdict: 'infra', reason: 'cannot finish `a`: no end after 0.0 s' });
  });

  test('deadlines are multiplied by how slow the target is', async () => {
    await using run = await runInMemory({
      suites: { s: { stack: { ready: [{ command: 'up', seconds: 0.001 }] } } },
      limits: { scale: 100 },
      machines: { answers: { up: { after: 20 } } },
    });
    expect(run.cell.verdict).toBe('passed');
  });

  test('a check that does not pass reports its last result', async () => {
    await using run = await runInMemory({
      suites: { s: { stack: { ready: [{ command: 'up', seconds: 0.001 }] } } },
      machines: { answers: { up: { exitCode: 1, stderr: 'not yet' } } },
    });
    expect(run.cell.verdict).toBe('failed');
    expect(run.cell.reason).toMatch(/"command sh -c up" did not pass within 1 ms: it exited with 1: not yet$/);
  });
});

describe('machines that let a run down', () => {
  test('one that does not boot is infrastructure, and other cells go on', async () => {
    await using run = await runInMemory({
      suites: { bad: {}, good: {} },
      machines: { boot: ({ cell }) => (cell.endsWith('bad') ? lost() : undefined) },
    });
    expect(run.exitCode).toBe(3);
    expect(run.steps).toEqual(['image passed', 'acquire infra']);
    expect(run.result.cells.map(({ verdict }) => verdict)).toEqual(['infra', 'passed']);
    expect(run.leases).toEqual([]);
  });

  test('one that dies in the middle ends the suite with what it died of', async () => {
    const provider = memoryProvider();
    await using run = await runInMemory({
      provider,
      runSuite: (options) => {
        provider.machines[0]!.die(new EmulatorError('QEMU is gone'));
        return endless(options);
      },
    });
    expect(run.exitCode).toBe(3);
    expect(run.cell).toMatchObject({ verdict: 'emulator', reason: 'QEMU is gone' });
    expect(run.steps.at(-1)).toBe('release passed');
  });

  test('one that dies just as a test fails is not the suite’s fault', async () => {
    const asked = () => {
      provider.machines[0]!.die(new InfraError('the kernel panicked'));
      return lost();
    };
    const provider = memoryProvider({ answers: { true: asked } });
    await using run = await runInMemory({ provider, runSuite: reports('failed') });
    expect(run.cell).toMatchObject({ verdict: 'infra', reason: 'the kernel panicked' });
  });

  test('a connection that is lost while evidence is collected costs only what was still to come', async () => {
    await using run = await runInMemory({
      suites: { s: { evidence: ['one', 'two'] } },
      runSuite: reports('failed'),
      machines: { answers: { one: { stdout: '1\n' }, two: lost } },
    });
    expect(run.cell.verdict).toBe('failed');
    expect(run.cell.artifacts.map((file) => basename(file))).toEqual([
      'console.log',
      'journal.txt',
      'units.txt',
      'failed-units.txt',
      'dmesg.txt',
      'network.txt',
      'processes.txt',
      'evidence-1-one.txt',
    ]);
    expect(run.cell.logs.map(({ message }) => message)).toEqual([
      'there is no evidence-2-two.txt: cannot finish it: the connection was lost',
    ]);
    expect(run.steps.at(-1)).toBe('release passed');
  });

  test('one that answers and cannot be used is asked why before it is ended', async () => {
    await using run = await runInMemory({
      limits: { scale: undefined },
      machines: {
        answers: { 'journalctl --no-pager --lines=2000 --output=short-monotonic': { stdout: 'perl: no\n' } },
      },
    });
    expect(run.cell.verdict).toBe('infra');
    expect(run.cell.reason).toMatch(/^cannot calibrate the target: /);
    const journal = run.cell.artifacts.find((file) => file.endsWith('journal.txt'));
    expect(await readFile(join(run.folder, journal!), 'utf8')).toBe('perl: no\n');
    expect(run.provider.machines[0]!.life).toEqual(['booted', 'released']);
  });

  test('one that cannot be released does not hide why the cell failed', async () => {
    await using run = await runInMemory({ runSuite: reports('failed'), machines: { release: lost } });
    expect(run.exitCode).toBe(1);
    expect(run.cell).toMatchObject({ verdict: 'failed', reason: '1 of 1 scenarios failed' });
    expect(run.steps.at(-1)).toBe('release infra');
    expect(run.cell.logs.map(({ message }) => message)).toEqual([
      'something stays behind until the next run or `harness gc`: cannot finish it: the connection was lost',
    ]);
    expect(run.leases).toHaveLength(1);
  });

  test('one that cannot be released after everything passed is infrastructure', async () => {
    await using run = await runInMemory({ machines: { release: lost } });
    expect(run.exitCode).toBe(3);
    expect(run.cell).toMatchObject({ verdict: 'infra', reason: 'cannot finish it: the connection was lost' });
  });

  test.each([
    ['is said in the note of its release', { stdout: '3\n' }, []],
    [
      'and cannot be is said, and no failure',
      { exitCode: 1, stderr: 'cannot start nginx\n' },
      ['cannot record or undo changes on memory: cannot start nginx'],
    ],
  ])('undoing changes on a machine that outlives the run %s', async (_, atTheEnd, warnings) => {
    let asked = 0;
    const undo = (argv: readonly string[]) => (argv[2]!.includes('$1/undo') && ++asked === 2 ? atTheEnd : {});
    await using run = await runInMemory({ machines: { undoFolder: '/undo', answers: { '*': undo } } });
    expect(run.cell.verdict).toBe('passed');
    expect(run.cell.logs.map(({ message }) => message)).toEqual(warnings);
    const { note } = run.cell.steps.at(-1)!;
    expect(note).toBe(warnings.length > 0 ? undefined : 'memory: 3 changes undone');
  });
});

describe('--keep', () => {
  test('keeps the machine of a cell that failed, and says how to get there', async () => {
    await using run = await runInMemory({
      suites: { bad: {}, good: {} },
      runSuite: (options) => (options.context.cell.endsWith('bad') ? reports('failed') : passes)(options),
      run: { keep: true },
    });
    expect(run.cell.enter).toBe('npx harness shell amd64/memory/bad');
    expect(run.steps.at(-1)).toBe('release skipped');
    const lives = run.provider.machines.map(({ spec, life }) => [spec.cell, ...life]);
    expect(Object.fromEntries(lives.map(([cell, ...life]) => [cell, life]))).toEqual({
      'amd64/memory/bad': ['booted', 'left'],
      'amd64/memory/good': ['booted', 'released'],
    });
    expect(run.leases).toHaveLength(1);
  });
});

describe('time', () => {
  const tooLong = 'cannot finish the cell: it took longer than 60 ms (limits.cell-minutes)';

  test('a cell that takes too long is ended, and its machine is released', async () => {
    await using run = await runInMemory({ runSuite: endless, limits: { 'cell-minutes': 0.001 } });
    expect([run.exitCode, run.cell.reason]).toEqual([3, tooLong]);
    // On a busy host its time may be up before there is one.
    expect(run.provider.machines.map(({ life }) => life.at(-1))).toEqual(run.provider.machines.map(() => 'released'));
    expect(run.leases).toEqual([]);
  });

  test('a boot is not waited for when the time of its cell is up', async () => {
    const boot = (_: unknown, { signal }: Io) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    await using run = await runInMemory({ machines: { boot }, limits: { 'cell-minutes': 0.001 } });
    expect([run.exitCode, run.cell.reason]).toEqual([3, tooLong]);
    expect(run.steps).toEqual(['image passed', 'acquire infra']);
  });

  test('a run that takes too long is ended, with what waits for a place in it', async () => {
    await using run = await runInMemory({
      suites: { a: {}, b: {} },
      runSuite: endless,
      limits: { minutes: 0.001, jobs: 1 },
    });
    expect(run.exitCode).toBe(3);
    expect(run.result.cells.map(({ reason }) => reason)).toEqual([
      'cannot finish the run: it took longer than 60 ms (limits.minutes)',
      'cannot finish the run: it took longer than 60 ms (limits.minutes)',
    ]);
    expect(run.leases).toEqual([]);
  });

  test('an interrupted run is incomplete, collects nothing, and gives everything back', async () => {
    const interrupt = new AbortController();
    await using run = await runInMemory({
      suites: { a: {}, b: {} },
      runSuite: (options) => {
        interrupt.abort();
        return endless(options);
      },
      run: { jobs: 1, interrupt: interrupt.signal },
    });
    expect(run.exitCode).toBe(130);
    expect(run.result.cells.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['incomplete', 'the run was interrupted'],
      ['incomplete', 'the run was interrupted'],
    ]);
    expect(run.steps).not.toContain('collect passed');
    expect(run.provider.machines.map(({ life }) => life)).toEqual([['booted', 'released']]);
    expect(run.leases).toEqual([]);
  });
});

test('deadlines that a busy moment stretched are measured again when the machine is resumed, and kept', async () => {
  const machines = (guestMs: number) => ({ snapshots: true, answers: { '*': { stdout: String(guestMs) } } });
  const limits = { scale: undefined };
  await using busy = await runInMemory({ limits, machines: machines(9e6) });
  expect(busy.cell.scale).toMatchObject({ factor: 100, source: 'bounded' });
  const { place } = busy;
  await using quiet = await runInMemory({ limits, machines: machines(0.001), place });
  expect(quiet.cell.facts?.resumed).toBeDefined();
  expect(quiet.cell.scale?.factor).toBe(1);
  expect(quiet.cell.logs.map(({ message }) => message)).toEqual([
    'deadlines × 1, not × 100 as when the snapshot was saved: measured again',
  ]);
  await using later = await runInMemory({ limits, machines: machines(9e6), place });
  expect(later.cell.scale).toMatchObject({ factor: 1, source: 'snapshot' });
  expect(later.cell.logs).toEqual([]);
});

describe('a choice of tests', () => {
  const cell = 'amd64/memory/s';
  const file = 'a.scenario.ts';

  test('is with its cell in the events, and goes to the suite', async () => {
    const asked: unknown[] = [];
    await using run = await runInMemory({
      runSuite: (options) => {
        asked.push(options.context.tests);
        return passes(options);
      },
      run: { tests: new Map([[cell, { names: ['one'] }]]) },
    });
    expect(run.cell.chosen).toEqual({ names: ['one'] });
    expect(asked).toEqual([{ names: ['one'] }, { names: ['one'] }]);
  });

  test('that chooses nothing is not green, and the names that there are stand there', async () => {
    await using run = await runInMemory({
      runSuite: async () => ({ finished: [], files: 1, left: ['the one', 'the other'] }),
      run: { tests: new Map([[cell, { names: ['nothing'] }]]) },
    });
    const reason = "no test of it is chosen by --test 'nothing'; there are the one, the other";
    expect(run.exitCode).toBe(4);
    expect(run.cell).toMatchObject({ verdict: 'skipped', reason, logs: [{ level: 'warn', message: reason }] });
  });

  test('of a test that is not there any more is not green', async () => {
    const only = [
      { file, test: 'test 1' },
      { file, test: 'gone' },
    ];
    await using run = await runInMemory({ run: { tests: new Map([[cell, { only }]]) } });
    expect(run.exitCode).toBe(4);
    expect(run.cell).toMatchObject({ verdict: 'incomplete', reason: 'not there any more: a.scenario.ts > gone' });
    expect(run.cell.steps.find(({ step }) => step === 'benchmarks')?.note).toBe('none of the benchmarks is chosen');
  });
});
