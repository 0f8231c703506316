import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderJunit } from '../../../reports/junit.ts';
import { EmulatorError, InfraError } from '../../base/errors.ts';
import { endless, reports, runInMemory } from '../../testing/memory-run.ts';
import type { RunSuite } from '../suite/suite-process.ts';

const DEFAULTS = {};

/** Boots that fail in this order, and then work. */
function boots(...errors: readonly Error[]) {
  let count = 0;
  return () => {
    const error = errors[count++];
    if (error) throw error;
  };
}

/** The first time the machine dies under the suite. */
function diesOnce(): RunSuite {
  let times = 0;
  const passes = reports('passed', 'passed');
  const loses = reports('passed', 'infra');
  return async (options) => {
    if (options.context.step !== 'scenarios' || times++ > 0) return passes(options);
    const outcome = await loses(options);
    return { ...outcome, cutShort: new InfraError('cannot go on with the guest: QEMU is gone') };
  };
}

test('a cell whose machine dies is tried again on a fresh one, and is flaky; both attempts are kept', async () => {
  await using run = await runInMemory({ retries: DEFAULTS, runSuite: diesOnce() });
  const reason = 'it passed on machine 2 only; the first: cannot go on with the guest: QEMU is gone';
  expect(run.cell).toMatchObject({ verdict: 'flaky', reason, tests: [{ verdict: 'passed' }, { verdict: 'passed' }] });
  expect(run.exitCode).toBe(0);
  expect(run.provider.machines.map(({ life }) => life)).toEqual([
    ['booted', 'released'],
    ['booted', 'released'],
  ]);
  const [first] = run.cell.earlier!;
  expect(first).toMatchObject({
    ...{ verdict: 'infra', reason: 'cannot go on with the guest: QEMU is gone' },
    tests: [{ verdict: 'passed' }, { verdict: 'infra' }],
  });
  expect(first!.steps.map(({ step, verdict }) => `${step} ${verdict}`)).toContain('scenarios infra');
  // Each machine has a console of its own.
  const place = 'cells/amd64/memory/s';
  expect(first!.artifacts).toContain(`${place}/attempt-1/console.log`);
  for (const file of [...first!.artifacts, `${place}/console.log`])
    expect(await readFile(join(run.folder, file), 'utf8')).toBeDefined();
  expect(run.leases).toEqual([]);
});

test('its attempts are in JUnit as Surefire has them', async () => {
  await using flaky = await runInMemory({ retries: DEFAULTS, runSuite: diesOnce() });
  const xml = renderJunit(flaky.result);
  expect(xml).toMatch(/<testcase [^>]*name="machine[^>]*>\s*<flakyError message="[^"]*QEMU is gone" type="infra">/);
  expect(xml).toMatch(/<testcase [^>]*name="test 2[^>]*>\s*<flaky(Error|Failure) /);
  expect(xml).not.toMatch(/<(failure|error) /);
  await using broken = await runInMemory({
    retries: DEFAULTS,
    machines: { boot: boots(new InfraError('no boot'), new InfraError('no boot either')) },
  });
  expect(broken.exitCode).toBe(3);
  const red = renderJunit(broken.result);
  expect(red).toMatch(/<testcase [^>]*name="machine[^>]*>\s*<error message="no boot" type="infra">/);
  expect(red).toMatch(/<testcase [^>]*name="acquire[^>]*>\s*<error message="no boot either"/);
});

test('each kind of failure has retries of its own, and no more', async () => {
  const machines = {
    boot: boots(new InfraError('infra 1'), new EmulatorError('emulator 1'), new InfraError('infra 2')),
  };
  await using run = await runInMemory({ retries: DEFAULTS, machines });
  expect(run.cell).toMatchObject({ verdict: 'infra', reason: 'infra 2' });
  expect(run.cell.earlier?.map(({ verdict, reason }) => `${verdict}: ${reason}`)).toEqual([
    'infra: infra 1',
    'emulator: emulator 1',
  ]);
});

test('a suite says more of its cells than the matrix, and a command line more than both', async () => {
  const fails = () => ({ boot: boots(...Array.from({ length: 9 }, (_, index) => new InfraError(`boot ${index}`))) });
  const attempts = async (suite: object, matrix: object, asked?: object) => {
    await using run = await runInMemory({
      ...{ suites: { s: suite }, retries: matrix, machines: fails() },
      ...(asked ? { run: { retries: asked } } : {}),
    });
    return (run.cell.earlier?.length ?? 0) + 1;
  };
  expect(await attempts({}, {})).toBe(2);
  expect(await attempts({}, { infra: 2 })).toBe(3);
  expect(await attempts({ retries: { infra: 0 } }, { infra: 2 })).toBe(1);
  expect(await attempts({ retries: 3 }, { infra: 2 })).toBe(3);
  expect(await attempts({ retries: { infra: 0 } }, {}, { infra: 4 })).toBe(5);
});

test('what a test says is not doubted by another machine', async () => {
  await using run = await runInMemory({ retries: DEFAULTS, runSuite: reports('failed', 'infra') });
  expect(run.cell).toMatchObject({ verdict: 'failed' });
  expect(run.cell.earlier).toBeUndefined();
});

test('each attempt has the whole time of a cell, and who lacks it gets no second machine', async () => {
  await using run = await runInMemory({ retries: DEFAULTS, limits: { 'cell-minutes': 0.002 }, runSuite: endless });
  expect(run.cell).toMatchObject({ verdict: 'infra' });
  expect(run.cell.reason).toContain('limits.cell-minutes');
  expect(run.cell.earlier).toBeUndefined();
});

test('a run that is interrupted begins nothing again', async () => {
  const stop = new AbortController();
  const boot = () => {
    stop.abort();
    throw new InfraError('too late');
  };
  await using run = await runInMemory({ retries: DEFAULTS, machines: { boot }, run: { interrupt: stop.signal } });
  expect(run.exitCode).toBe(130);
  expect(run.cell.earlier).toBeUndefined();
});

test('a machine that is kept is the one that failed', async () => {
  await using run = await runInMemory({ retries: DEFAULTS, runSuite: reports('infra'), run: { keep: true } });
  expect(run.cell).toMatchObject({ verdict: 'infra', enter: 'npx harness shell amd64/memory/s' });
  expect(run.cell.earlier).toBeUndefined();
});
