import { expect, test } from 'vitest';
import { decide, foldEvents } from './fold.ts';
import type { HarnessEvent, PlannedCell, StoredEvent, TestFinished, Verdict } from './types.ts';

const cell = (name: string): PlannedCell => {
  const [arch, target, suite] = name.split('/') as [PlannedCell['arch'], string, string];
  return { name, arch, target, suite, voting: true };
};
const started = (...names: string[]): HarnessEvent => ({
  type: 'run.started',
  run: 'r1',
  harness: '0.1.0',
  matrix: { name: 'm' },
  control: 'amd64',
  host: { arch: 'x64', cpu: 'c', cores: 2, memoryBytes: 1, kernel: 'k', node: 'v24' },
  cells: names.map(cell),
  jobs: 1,
  jobsReason: 'one core',
  argv: [],
});
const finishedTest = (cellName: string, verdict: TestFinished['verdict'], name = 'works'): HarnessEvent => ({
  type: 'test.finished',
  cell: cellName,
  step: 'scenarios',
  file: 'a.scenario.ts',
  name,
  verdict,
  durationMs: 5,
  attempts: [],
});
const planned = (cellName: string, ...names: string[]): HarnessEvent => ({
  type: 'tests.planned',
  cell: cellName,
  step: 'scenarios',
  tests: names.map((name) => ({ file: 'a.scenario.ts', name })),
});
const cellFinished = (cellName: string, verdict: Verdict): HarnessEvent => ({
  type: 'cell.finished',
  cell: cellName,
  verdict,
  durationMs: 9,
});
const end: HarnessEvent = { type: 'run.finished', exitCode: 0, interrupted: false, durationMs: 100 };
const fold = (...events: HarnessEvent[]) =>
  foldEvents(
    events.map((event, seq): StoredEvent => ({ ...event, v: 1, seq, at: new Date(seq * 1000).toISOString() })),
  );

test('a run that passed', () => {
  const run = fold(
    started('amd64/vm/web'),
    planned('amd64/vm/web', 'works'),
    finishedTest('amd64/vm/web', 'passed'),
    cellFinished('amd64/vm/web', 'passed'),
    end,
  );
  expect(run).toMatchObject({
    state: 'passed',
    exitCode: 0,
    durationMs: 100,
    counts: { planned: 1, passed: 1, neverRan: 0 },
  });
});

test('a killed run is incomplete, with every unfinished test and cell', () => {
  const run = fold(
    started('amd64/vm/web', 'arm64/vm/web'),
    { type: 'step.started', cell: 'amd64/vm/web', step: 'scenarios' },
    planned('amd64/vm/web', 'works', 'hangs', 'waits'),
    finishedTest('amd64/vm/web', 'passed'),
    { type: 'test.started', cell: 'amd64/vm/web', file: 'a.scenario.ts', name: 'hangs' },
    { type: 'log', cell: 'amd64/vm/web', level: 'info', message: 'still there' },
  );
  expect(run).toMatchObject({
    state: 'incomplete',
    exitCode: 4,
    durationMs: 5000,
    counts: { planned: 3, passed: 1, neverRan: 2 },
  });
  expect(run.cells[0]).toMatchObject({
    verdict: 'incomplete',
    reason: 'never finished: it was in the step scenarios',
    steps: [{ step: 'scenarios', verdict: 'incomplete', durationMs: 4000 }],
    tests: [
      { verdict: 'passed' },
      { verdict: 'incomplete', durationMs: 1000, attempts: [] },
      { verdict: 'incomplete', durationMs: 0 },
    ],
  });
  expect(run.cells[1]).toMatchObject({ verdict: 'incomplete', reason: 'never started', durationMs: 0 });
});

test('a passed cell with unfinished tests is incomplete', () => {
  const run = fold(
    started('amd64/vm/web'),
    planned('amd64/vm/web', 'a', 'b'),
    finishedTest('amd64/vm/web', 'passed', 'a'),
    cellFinished('amd64/vm/web', 'passed'),
    end,
  );
  expect(run).toMatchObject({
    exitCode: 4,
    cells: [{ verdict: 'incomplete', reason: '1 planned test never finished' }],
  });
});

test('a run in which nothing was executed is not green', () => {
  expect(fold(started(), end).exitCode).toBe(4);
  expect(fold(started('amd64/vm/web'), cellFinished('amd64/vm/web', 'passed'), end).exitCode).toBe(4);
  expect(
    fold(started('amd64/vm/web'), finishedTest('amd64/vm/web', 'skipped'), cellFinished('amd64/vm/web', 'passed'), end)
      .exitCode,
  ).toBe(4);
});

test('the exit code of run.finished counts when no cell explains it', () => {
  const events = [
    started('amd64/vm/web'),
    finishedTest('amd64/vm/web', 'passed'),
    cellFinished('amd64/vm/web', 'passed'),
  ];
  expect(fold(...events, { ...end, exitCode: 3 } as HarnessEvent)).toMatchObject({ exitCode: 3, state: 'infra' });
  expect(fold(...events, { ...end, interrupted: true } as HarnessEvent)).toMatchObject({
    exitCode: 130,
    state: 'interrupted',
  });
});

const done = { voting: true, verdict: 'passed', tests: [{ verdict: 'passed' }] } as const;
const of = (verdict: Verdict, voting = true) => ({ voting, verdict, tests: [] });
test.each([
  [0, [done]],
  [0, [done, of('unsupported'), of('skipped')]],
  [0, [done, of('failed', false), of('infra', false), of('incomplete', false)]],
  [0, [{ ...done, verdict: 'flaky' as const }]],
  [1, [done, of('incomplete'), of('infra'), of('failed')]],
  [3, [done, of('incomplete'), of('emulator')]],
  [4, [done, of('incomplete')]],
  [4, [of('unsupported')]],
  [4, []],
])('decides %i', (code, cells) => {
  expect(decide(cells, { interrupted: false })).toBe(code);
  expect(decide(cells, { interrupted: true })).toBe(130);
});

test('a failed test is compared with the control leg', () => {
  const run = fold(
    started('arm64/vm/web', 'amd64/vm/web', 'arm64/container/web'),
    ...['both', 'only here', 'skipped there'].map((name) => finishedTest('arm64/vm/web', 'failed', name)),
    finishedTest('amd64/vm/web', 'failed', 'both'),
    finishedTest('amd64/vm/web', 'flaky', 'only here'),
    finishedTest('amd64/vm/web', 'skipped', 'skipped there'),
    finishedTest('arm64/container/web', 'failed', 'both'),
    end,
  );
  expect(run.cells[0]?.tests.map(({ control }) => control)).toEqual([
    'fails-on-control',
    'passes-on-control',
    'control-unknown',
  ]);
  expect(run.cells[1]?.tests.every((test) => !('control' in test))).toBe(true);
  expect(run.cells[2]?.tests[0]?.control).toBe('control-unknown');
});

test('two tests of one name are two tests', () => {
  const run = fold(
    started('amd64/vm/web'),
    planned('amd64/vm/web', 'same', 'same'),
    finishedTest('amd64/vm/web', 'failed', 'same'),
    finishedTest('amd64/vm/web', 'passed', 'same'),
    end,
  );
  expect(run.cells[0]?.tests.map(({ verdict }) => verdict)).toEqual(['failed', 'passed']);
});

test('an inconsistent stream is refused', () => {
  expect(() => fold()).toThrow('cannot fold the events: there are none');
  expect(() => fold(end)).toThrow('the first is run.finished, not run.started');
  expect(() => fold(started('amd64/vm/web'), cellFinished('arm64/vm/web', 'passed'))).toThrow(
    'cell.finished of arm64/vm/web, a cell that was not planned',
  );
});

test('two tests of one name keep their own results, whichever ends first', () => {
  const which = (nth: number) => ({ file: 'a.scenario.ts', name: 'same', nth });
  const { tests } = fold(
    started('amd64/vm/web'),
    { type: 'tests.planned', cell: 'amd64/vm/web', step: 'scenarios', tests: [which(0), which(1), which(2)] },
    { type: 'test.started', cell: 'amd64/vm/web', ...which(1) },
    { ...finishedTest('amd64/vm/web', 'failed'), ...which(1) } as HarnessEvent,
    { ...finishedTest('amd64/vm/web', 'passed'), ...which(0) } as HarnessEvent,
  ).cells[0]!;
  expect(tests.map(({ nth, verdict }) => [nth, verdict])).toEqual([
    [0, 'passed'],
    [1, 'failed'],
    [2, 'incomplete'],
  ]);
});

test('stored errors without a valid message are still read as errors', () => {
  const errors = [
    { type: 'E' },
    { message: { code: 3 } },
    'a string',
    null,
    { type: 7, message: 'm', hint: 5, file: 'f', line: 2 },
  ];
  const attempts = [{ verdict: 'failed', durationMs: 1, errors }, { verdict: 'failed', durationMs: 1 }, null];
  const { tests, steps } = fold(
    started('amd64/vm/web'),
    { ...finishedTest('amd64/vm/web', 'failed'), attempts } as unknown as HarnessEvent,
    { ...finishedTest('amd64/vm/web', 'failed', 'other'), attempts: undefined } as unknown as HarnessEvent,
    {
      type: 'step.finished',
      cell: 'amd64/vm/web',
      step: 'deploy',
      verdict: 'failed',
      durationMs: 1,
      error: {},
    } as never,
  ).cells[0]!;
  expect(tests[0]!.attempts.map((attempt) => attempt.errors)).toEqual([
    [
      { type: 'E', message: "{ type: 'E' }" },
      { type: 'Error', message: '{ code: 3 }' },
      { type: 'Error', message: 'a string' },
      { type: 'Error', message: 'null' },
      { type: 'Error', message: 'm', file: 'f', line: 2 },
    ],
    [],
    [],
  ]);
  expect(tests[1]!.attempts).toEqual([]);
  expect(steps[0]!.error).toEqual({ type: 'Error', message: '{}' });
});

test('everything before a machine failed is an earlier attempt, not part of the last', () => {
  const web = 'amd64/vm/web';
  const run = fold(
    started(web),
    { type: 'step.started', cell: web, step: 'scenarios' },
    planned(web, 'works', 'waits'),
    finishedTest(web, 'infra'),
    { type: 'log', cell: web, level: 'warn', message: 'odd' },
    {
      ...{ type: 'cell.retried', cell: web, attempt: 1, verdict: 'infra', reason: 'QEMU is gone', durationMs: 7 },
      artifacts: ['cells/amd64/vm/web/attempt-1/console.log'],
    },
    { type: 'step.started', cell: web, step: 'scenarios' },
    planned(web, 'works', 'waits'),
    finishedTest(web, 'passed'),
    finishedTest(web, 'passed', 'waits'),
    cellFinished(web, 'flaky'),
    end,
  );
  const [cellResult] = run.cells;
  expect(run).toMatchObject({ exitCode: 0, counts: { planned: 2, passed: 2, infra: 0 } });
  expect(cellResult).toMatchObject({
    verdict: 'flaky',
    logs: [],
    tests: [{ verdict: 'passed' }, { verdict: 'passed' }],
  });
  expect(cellResult!.earlier).toMatchObject([
    {
      ...{ verdict: 'infra', reason: 'QEMU is gone', durationMs: 7, logs: [{ message: 'odd' }] },
      artifacts: ['cells/amd64/vm/web/attempt-1/console.log'],
      tests: [
        { name: 'works', verdict: 'infra' },
        { name: 'waits', verdict: 'incomplete' },
      ],
      steps: [{ step: 'scenarios' }],
    },
  ]);
});

test.each([
  ['fails there too', ['failed', 'failed'], 'fails-on-control'],
  ['passes there, fails again here', ['passed', 'failed'], 'passes-on-control'],
  ['passes here now', ['passed', 'passed'], 'passes-here-now'],
  ['passes here now, whatever it does there', ['failed', 'passed'], 'passes-here-now'],
  ['the machine died', ['passed', 'emulator'], 'machine-died'],
  ['nothing is known of there', ['unknown', 'failed'], 'control-unknown'],
] as const)('a failed test that was tried again: %s', (_, [there, here], control) => {
  const failed = 'arm64/vm/web';
  const tried = (place: 'there' | 'here', verdict: typeof there | typeof here): HarnessEvent => ({
    ...{ type: 'control.finished', cell: failed, file: 'a.scenario.ts', name: 'works', place, verdict },
    ...{ on: place === 'there' ? 'amd64/vm/web' : failed, durationMs: verdict === 'unknown' ? 0 : 50, attempts: [] },
  });
  const run = fold(
    started(failed),
    planned(failed, 'works'),
    finishedTest(failed, 'failed'),
    cellFinished(failed, 'failed'),
    tried('there', there),
    tried('here', here),
    end,
  );
  const [cellResult] = run.cells;
  expect(cellResult).toMatchObject({ verdict: 'failed', tests: [{ verdict: 'failed', control }] });
  expect(cellResult!.tests[0]!.controlTries).toMatchObject([{ place: 'there', verdict: there }, { place: 'here' }]);
  const tries = there === 'unknown' ? 1 : 2;
  expect(run).toMatchObject({ exitCode: 1, controlCost: { tries, durationMs: 50 * tries } });
});
