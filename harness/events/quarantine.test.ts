import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import { quarantineSentence, withQuarantine } from './quarantine.ts';
import type { CellResult, TestResult } from './result.ts';
import type { QuarantineEntry } from './types.ts';

const entry: QuarantineEntry = {
  test: 'serves *',
  arch: ['ppc64le'],
  link: 'https://bugs.example/7',
  owner: 'ada',
  expires: '2026-12-03',
  where: 'quarantine.yaml:2:3',
  passedBefore: 0,
};

const testOf = (name: string, verdict: TestResult['verdict'], file = 'a.scenario.ts'): TestResult => ({
  ...{ step: 'scenarios', file, name, verdict, durationMs: 1 },
  attempts: [],
});

const cellOf = (change: Partial<CellResult> = {}): CellResult => ({
  ...{ name: 'ppc64le/vm/web', arch: 'ppc64le', target: 'vm', suite: 'web', voting: true },
  ...{ verdict: 'failed', durationMs: 1, steps: [], benchmarks: [], logs: [], artifacts: [] },
  tests: [testOf('serves / and /x', 'failed'), testOf('other', 'passed')],
  ...change,
});

/** A cell as it is at some time of a day. */
const on = (day: string, change: Partial<QuarantineEntry> = {}, cell = cellOf()) =>
  withQuarantine(cell, [{ ...entry, ...change }], `${day}T23:59:59.999Z`);
const codeOf = (cell: CellResult) => decide([cell], { interrupted: false });

test('until it expires it does not vote and shows the days left; after that it is red', () => {
  const days = ['2026-11-27', '2026-12-02', '2026-12-03', '2026-12-04', '2027-01-02'].map((day) => {
    const cell = on(day);
    return [codeOf(cell), cell.tests[0]!.quarantine!.daysLeft, quarantineSentence(cell.tests[0]!.quarantine!)];
  });
  const whose = '(https://bugs.example/7, ada)';
  expect(days).toEqual([
    [0, 6, `in quarantine until 2026-12-03, 6 days left ${whose}: it does not vote`],
    [0, 1, `in quarantine until 2026-12-03, 1 day left ${whose}: it does not vote`],
    [0, 0, `in quarantine until 2026-12-03, today is the last day ${whose}: it does not vote`],
    [1, -1, `its quarantine expired 1 day ago, on 2026-12-03 ${whose}: it votes again; quarantine.yaml:2:3`],
    [1, -30, `its quarantine expired 30 days ago, on 2026-12-03 ${whose}: it votes again; quarantine.yaml:2:3`],
  ]);
});

test('it excuses nothing else', () => {
  const failing = (change: Partial<CellResult>) => codeOf(on('2026-11-27', {}, cellOf(change)));
  const [quarantined] = cellOf().tests;
  expect(failing({ tests: [quarantined!, testOf('other', 'failed')] })).toBe(1);
  expect(failing({ tests: [quarantined!, testOf('other', 'infra')] })).toBe(1);
  const error = { type: 'StackError', message: 'cannot start web' };
  const broken = { step: 'deploy', verdict: 'failed', startedAt: '', durationMs: 1, phases: [], error } as const;
  expect(failing({ steps: [broken] })).toBe(1);
  expect(failing({ tests: [] })).toBe(1);
  expect(failing({ arch: 'arm64', name: 'arm64/vm/web' })).toBe(1);
});

test('an entry without a test is about the whole cell', () => {
  const whole = { test: undefined, cell: 'ppc64le/*/web' } as unknown as Partial<QuarantineEntry>;
  const { test: _test, ...rest } = { ...entry, ...whole };
  const cell = withQuarantine(cellOf({ verdict: 'emulator', tests: [] }), [rest as QuarantineEntry], '2026-11-27');
  expect(cell).toMatchObject({ excused: true, quarantine: { state: 'active', daysLeft: 6 } });
  // Nothing at all was executed.
  expect(codeOf(cell)).toBe(4);
  expect(
    withQuarantine(cellOf({ name: 'ppc64le/vm/web@trixie' }), [rest as QuarantineEntry], '2026-11-27').excused,
  ).toBe(true);
  expect(
    withQuarantine(cellOf({ name: 'ppc64le/vm/db' }), [rest as QuarantineEntry], '2026-11-27').excused,
  ).toBeUndefined();
});

test('a name that looks like a pattern matches itself, and may include a file', () => {
  const of = (glob: string, name: string) =>
    on('2026-11-27', { test: glob }, cellOf({ tests: [testOf(name, 'failed')] }));
  expect(of('answers [GET] (twice)', 'answers [GET] (twice)').excused).toBe(true);
  expect(of('a.scenario.ts > *', 'anything / at > all').excused).toBe(true);
  expect(of('b.scenario.ts > *', 'anything').excused).toBeUndefined();
});

test('ten passed runs in a row make an entry ready to leave, and one failure restarts the count', () => {
  const passing = cellOf({ verdict: 'passed', tests: [testOf('serves /', 'passed')] });
  const after = (passedBefore: number, cell = passing) =>
    on('2026-11-27', { passedBefore }, cell).tests[0]!.quarantine!;
  expect(after(8)).toMatchObject({ passes: 9 });
  expect(after(8).ready).toBeUndefined();
  expect(quarantineSentence(after(9))).toBe(
    'in quarantine (https://bugs.example/7, ada), and ready to leave it: it passed 10 runs in a row; quarantine.yaml:2:3',
  );
  expect(after(40, cellOf())).toMatchObject({ passes: 0 });
  expect(after(3, cellOf({ tests: [testOf('serves /', 'skipped')] }))).toMatchObject({ passes: 3 });
});
