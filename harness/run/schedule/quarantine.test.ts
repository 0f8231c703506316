import { expect, test } from 'vitest';
import type { QuarantineEntry } from '../../events/types.ts';
import { reports, runInMemory } from '../../testing/memory-run.ts';

const entry: QuarantineEntry = {
  ...{ test: 'test 1', cell: 'amd64/*/s', link: 'https://b.example/7', expires: '2026-12-03' },
  ...{ where: 'quarantine.yaml:1:3', passedBefore: 9 },
};

/** A run at a time of the clock, whose first test comes to this. */
const ran = (at: string, verdict: 'passed' | 'failed', ...others: ('passed' | 'failed')[]) =>
  runInMemory({
    runSuite: reports(verdict, ...others),
    run: { bench: false, quarantine: [entry], now: () => new Date(at) },
  });

test('until its last day is over in UTC a failure does not vote, and then it does', async () => {
  await using within = await ran('2026-12-03T23:59:59.999Z', 'failed', 'passed');
  expect(within.exitCode).toBe(0);
  expect(within.result).toMatchObject({ state: 'passed', exitCode: 0 });
  expect(within.cell).toMatchObject({
    ...{ verdict: 'failed', excused: true },
    tests: [{ verdict: 'failed', quarantine: { state: 'active', daysLeft: 0, link: 'https://b.example/7' } }, {}],
  });
  await using after = await ran('2026-12-04T00:00:00.000Z', 'failed', 'passed');
  expect(after.exitCode).toBe(1);
  expect(after.cell.tests[0]?.quarantine).toMatchObject({ state: 'expired', daysLeft: -1 });
});

test('nothing else is excused, and what passes often enough is ready to leave', async () => {
  await using other = await ran('2026-12-01T00:00:00Z', 'failed', 'failed');
  expect(other.exitCode).toBe(1);
  await using passes = await ran('2026-12-01T00:00:00Z', 'passed');
  expect(passes.cell.tests[0]?.quarantine).toMatchObject({ passes: 10, ready: true });
});
