import { expect, test } from 'vitest';
import { withQuarantine } from '../events/quarantine.ts';
import type { CellResult, RunResult } from '../events/result.ts';
import type { QuarantineEntry } from '../events/types.ts';
import { newRegressions } from './news.ts';
import { type Night, nightOf } from './night.ts';
import { quarantineRecords } from './quarantine.ts';
import { stillRed } from './standing.ts';
import { trendsOf } from './trends.ts';

const entry = { test: 'serves *', link: 'https://b.example/1', where: 'quarantine.yaml:1:3', owner: 'ada' } as const;

/** A night with this verdict of one test of a cell. @param day of November 2026. */
function night(day: number, verdict: 'passed' | 'failed', quarantine: readonly QuarantineEntry[]): Night {
  const startedAt = `2026-11-${String(day).padStart(2, '0')}T03:17:00.000Z`;
  const errors = verdict === 'failed' ? [{ type: 'AssertionError', message: 'not 200' }] : [];
  const cell: CellResult = {
    ...{ name: 'arm64/vm/web', arch: 'arm64', target: 'vm', suite: 'web', voting: true, verdict, durationMs: 1 },
    ...{ startedAt, steps: [], benchmarks: [], artifacts: [], log: [] },
    tests: [
      {
        ...{ step: 'scenarios', file: 'a.scenario.ts', name: 'serves /', verdict, durationMs: 1 },
        attempts: [{ verdict, durationMs: 1, errors }],
      },
    ],
  } as unknown as CellResult;
  const run = {
    ...{ run: `r${day}`, startedAt, matrix: { name: 'm' }, state: 'passed', exitCode: 0, durationMs: 1 },
    ...{ counts: { planned: 1 }, cells: [withQuarantine(cell, quarantine, startedAt)] },
    ...(quarantine.length > 0 ? { quarantine } : {}),
  } as unknown as RunResult;
  return nightOf(run);
}

const until = (expires: string, passedBefore = 0): QuarantineEntry[] => [{ ...entry, expires, passedBefore }];
const newsOf = (nights: readonly Night[]) => newRegressions(nights, trendsOf(nights), []).map(({ kind }) => kind);

test('how long an entry has been in quarantine, and how often it was extended', () => {
  const nights = [
    night(1, 'failed', until('2026-11-10')),
    night(2, 'passed', []),
    night(3, 'failed', until('2026-11-10')),
    night(4, 'failed', until('2026-11-15')),
    // An earlier day is not an extension.
    night(9, 'failed', until('2026-11-12')),
    night(12, 'passed', [{ ...until('2026-11-20')[0]!, link: 'https://b.example/2' }]),
  ];
  expect(quarantineRecords(nights)).toEqual([
    {
      ...{ test: 'serves *', link: 'https://b.example/2', owner: 'ada', expires: '2026-11-20', passes: 1 },
      ...{ since: 2, ageDays: 9, before: ['2026-11-10', '2026-11-12'], daysLeft: 8, ready: false },
    },
  ]);
});

test('ten passed runs in a row make it ready to leave, and one failure restarts the count', () => {
  const passes = (before: number, verdict: 'passed' | 'failed') => {
    const [record] = quarantineRecords([night(1, verdict, until('2026-11-10', before))]);
    return [record!.passes, record!.ready];
  };
  expect(passes(8, 'passed')).toEqual([9, false]);
  expect(passes(9, 'passed')).toEqual([10, true]);
  expect(passes(9, 'failed')).toEqual([0, false]);
});

test('a quarantined failure is neither news nor red, until the day after the last', () => {
  const good = night(1, 'passed', until('2026-11-02'));
  const excused = night(2, 'failed', until('2026-11-02'));
  const expired = [night(3, 'failed', until('2026-11-02')), night(4, 'failed', until('2026-11-02'))] as const;
  expect(excused.cells[0]).toMatchObject({ verdict: 'failed', excused: true });
  expect(newsOf([good, excused])).toEqual([]);
  expect(stillRed([excused, excused])).toEqual([]);
  expect(newsOf([good, excused, expired[0]])).toEqual(['test']);
  expect(stillRed([good, excused, ...expired])).toMatchObject([{ nights: 2, since: 2 }]);
  // Without a quarantine it is what it is.
  expect(newsOf([night(1, 'passed', []), night(2, 'failed', [])])).toEqual(['test']);
});
