import { expect, test } from 'vitest';
import { EmulatorError, InfraError } from '../../base/errors.ts';
import type { TestFinished } from '../../events/types.ts';
import { type Given, runInMemory } from '../../testing/memory-run.ts';
import type { RunSuite } from '../suite/suite-process.ts';

type Verdict = 'passed' | 'failed';
/** A test's result the first time, the second time, … on each architecture; the last one repeats. */
type Behaviour = Readonly<Record<string, Readonly<Record<'amd64' | 'arm64', readonly (Verdict | Error)[]>>>>;

/** A suite whose tests behave like this, and a log of what it was asked to run. */
function behaves(behaviour: Behaviour) {
  const times = new Map<string, number>();
  const asked: string[] = [];
  const runSuite: RunSuite = async ({ context: { cell, step, tests }, emit }) => {
    const arch = cell.split('/')[0] as 'amd64' | 'arm64';
    const chosen = tests?.only?.map((one) => one.test);
    asked.push(`${cell} ${step} ${chosen?.join('+') ?? 'all'}`);
    const finished: TestFinished[] = [];
    if (step !== 'scenarios') return { finished, files: 0 };
    for (const [name, does] of Object.entries(behaviour)) {
      if (chosen && !chosen.includes(name)) continue;
      const time = times.get(`${arch} ${name}`) ?? 0;
      times.set(`${arch} ${name}`, time + 1);
      const verdict = does[arch][Math.min(time, does[arch].length - 1)]!;
      if (verdict instanceof Error) return { finished, files: 1, cutShort: verdict };
      const errors = verdict === 'failed' ? [{ type: 'AssertionError', message: `${name} on ${arch}` }] : [];
      const attempts = [{ verdict, durationMs: 1, errors }];
      const event = {
        type: 'test.finished',
        cell,
        step,
        file: 'a.scenario.ts',
        name,
        verdict,
        durationMs: 1,
        attempts,
      } as const;
      finished.push(event);
      await emit(event);
    }
    return { finished, files: 1 };
  };
  return { runSuite, asked };
}

const ran = (runSuite: RunSuite, given: Given = {}) =>
  runInMemory({ arch: ['arm64'], runSuite, ...given, run: { bench: false, control: undefined, ...given.run } });

const FAILS = { amd64: ['failed'], arm64: ['failed'] } as const;
const ARM_ONLY = { amd64: ['passed'], arm64: ['failed'] } as const;
const CHANCE = { amd64: ['passed'], arm64: ['failed', 'passed'] } as const;
const DIES = { amd64: ['passed'], arm64: ['failed', new EmulatorError('QEMU is gone')] } as const;

test('each failed test is named rightly, one at a time, and only what has to be asked is asked', async () => {
  const { runSuite, asked } = behaves({
    good: { amd64: ['passed'], arm64: ['passed'] },
    FAILS,
    ARM_ONLY,
    CHANCE,
    DIES,
  });
  await using run = await ran(runSuite);
  expect(run.exitCode).toBe(1);
  expect(run.cell).toMatchObject({ verdict: 'failed', reason: '4 of 5 scenarios failed' });
  expect(run.cell.tests.map(({ name, verdict, control }) => [name, verdict, control])).toEqual([
    ['good', 'passed', undefined],
    ['FAILS', 'failed', 'fails-on-control'],
    ['ARM_ONLY', 'failed', 'passes-on-control'],
    ['CHANCE', 'failed', 'passes-here-now'],
    ['DIES', 'failed', 'machine-died'],
  ]);
  const [here, there] = ['arm64/memory/s', 'amd64/memory/s'];
  expect(asked).toEqual([
    `${here} scenarios all`,
    ...['FAILS', 'ARM_ONLY', 'CHANCE', 'DIES'].map((name) => `${here} scenarios ${name}`),
    ...['FAILS', 'ARM_ONLY'].map((name) => `${there} scenarios ${name}`),
  ]);
  // Both attempts of the flaky test, and the machine of each.
  const chance = run.cell.tests.find(({ name }) => name === 'CHANCE')!;
  expect(chance.attempts).toMatchObject([{ verdict: 'failed' }]);
  expect(chance.controlTries).toMatchObject([
    { place: 'here', on: here, verdict: 'passed', attempts: [{ verdict: 'passed' }], facts: { arch: 'arm64' } },
  ]);
  expect(run.result.controlCost?.tries).toBe(6);
  expect(run.leases).toEqual([]);
});

test('what the run’s own control cell says is not asked again', async () => {
  const { runSuite, asked } = behaves({ FAILS, ARM_ONLY });
  await using run = await ran(runSuite, { arch: ['arm64', 'amd64'] });
  expect(run.cell.tests.map(({ control }) => control)).toEqual(['fails-on-control', 'passes-on-control']);
  expect(asked.filter((one) => !one.endsWith('all'))).toEqual([
    'arm64/memory/s scenarios FAILS',
    'arm64/memory/s scenarios ARM_ONLY',
  ]);
});

test('a control cell that did not come so far is no answer', async () => {
  const { runSuite } = behaves({ ARM_ONLY: { amd64: [new InfraError('lost'), 'passed'], arm64: ['failed'] } });
  await using run = await ran(runSuite, { arch: ['arm64', 'amd64'] });
  expect(run.cell.tests[0]).toMatchObject({
    control: 'passes-on-control',
    controlTries: [{ place: 'here' }, { place: 'there' }],
  });
});

test('each test finds the machine as it was deployed', async () => {
  const { runSuite } = behaves({ FAILS, ARM_ONLY });
  await using run = await ran(runSuite, { machines: { snapshots: true } });
  const lives = run.provider.machines.map(({ spec, life }) => `${spec.arch.name}: ${life.join(', ')}`);
  expect(lives).toEqual([
    'arm64: booted, saved, released',
    'arm64: resumed, restored, released',
    'amd64: booted, saved, restored, released',
  ]);
});

test('nothing is tried again where nobody wants it, on the control architecture, or when the run is interrupted', async () => {
  const asks = async (given: Given) => {
    const { runSuite, asked } = behaves({ FAILS });
    await using run = await ran(runSuite, given);
    expect(run.cell.verdict).toBe('failed');
    return asked.length;
  };
  expect(await asks({ run: { control: false } })).toBe(1);
  expect(await asks({ limits: { 'control-minutes': 0 } })).toBe(1);
  expect(await asks({ arch: ['amd64'] })).toBe(1);
  expect(await asks({})).toBe(3);
});

test('a budget ends it, and what there was no time for says so', async () => {
  const { runSuite } = behaves({ FAILS, ARM_ONLY });
  let boots = 0;
  const boot = (_spec: unknown, { signal }: { readonly signal: AbortSignal }) =>
    ++boots === 1
      ? undefined
      : new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await using run = await ran(runSuite, { limits: { 'control-minutes': 0.002 }, machines: { boot } });
  const reason = 'there was no time left: 120 ms (limits.control-minutes)';
  expect(run.exitCode).toBe(1);
  for (const { control, controlTries } of run.cell.tests) {
    expect(control).toBe('control-unknown');
    for (const one of controlTries!) expect(one).toMatchObject({ verdict: 'unknown', reason });
  }
});

test('a suite that is not for the control architecture is tried again where it failed', async () => {
  const { runSuite } = behaves({ FAILS, CHANCE });
  await using run = await ran(runSuite, { suites: { s: { arch: ['arm64'] } } });
  expect(run.cell.tests.map(({ control }) => control)).toEqual(['control-unknown', 'passes-here-now']);
});

test('where there is no machine any more, that is what is said', async () => {
  const { runSuite } = behaves({ FAILS });
  let boots = 0;
  const boot = () => {
    if (++boots > 1) throw new InfraError('no place');
  };
  await using run = await ran(runSuite, { machines: { boot } });
  expect(run.cell.tests[0]).toMatchObject({
    control: 'machine-died',
    controlTries: [{ place: 'here', verdict: 'infra', reason: 'no place' }],
  });
});
