import { expect, test } from 'vitest';
import type { Verdict } from '../events/types.ts';
import type { Figure, Night, NightCell } from './night.ts';
import { stillMissing, stillRed } from './standing.ts';

const figure = (name: string, median?: number): Figure => ({
  file: 'f',
  name,
  clock: 'guest',
  machine: 'm',
  operations: 1,
  ...(median === undefined ? { problem: 'it has no samples' } : { median }),
});

function cellOf(name: string, verdict: Verdict, figures: readonly Figure[] = []): NightCell {
  const common = {
    arch: 'amd64',
    target: 'vm',
    suite: 'web',
    voting: true,
    durationMs: 1,
    steps: [],
    tests: [],
  } as const;
  return { ...common, name, verdict, figures };
}

/** Nights by the verdicts of a cell `a`, absent where undefined, beside a good cell `b`. */
function nightsOf(
  verdicts: readonly (Verdict | undefined)[],
  figures: (night: number) => readonly Figure[] = () => [],
) {
  return verdicts.map(
    (verdict, night): Night => ({
      run: `r${night}`,
      startedAt: new Date(Date.UTC(2026, 0, 1 + night)).toISOString(),
      matrix: 'm',
      state: 'passed',
      exitCode: 0,
      durationMs: 1,
      tests: 1,
      cells: [...(verdict ? [cellOf('a', verdict, figures(night))] : []), cellOf('b', 'passed')],
    }),
  );
}

test.each<[string, (Verdict | undefined)[], [since: number, nights: number] | undefined]>([
  ['one red night', ['passed', 'failed'], undefined],
  ['two', ['passed', 'failed', 'failed'], [1, 2]],
  ['from the first on', ['failed', 'failed'], [0, 2]],
  ['red in another way', ['passed', 'infra', 'failed', 'incomplete'], [1, 3]],
  ['a good night between', ['failed', 'passed', 'failed'], undefined],
  ['a night without it between', ['failed', undefined, 'failed'], [0, 2]],
  ['green again', ['failed', 'failed', 'passed'], undefined],
  ['skipped is not red', ['skipped', 'skipped'], undefined],
  ['not run last', ['failed', 'failed', undefined], undefined],
  ['a single night', ['failed'], undefined],
])('%s', (_, verdicts, expected) => {
  const red = stillRed(nightsOf(verdicts)).map(({ cell, since, nights }) => [cell.name, since, nights]);
  expect(red).toEqual(expected ? [['a', ...expected]] : []);
});

test('without nights there is nothing', () => {
  expect(stillRed([])).toEqual([]);
  expect(stillMissing([])).toEqual([]);
});

test('a missing cell is reported for a week after its first night without', () => {
  const gone = (nights: number) => stillMissing(nightsOf(['passed', ...new Array<undefined>(nights).fill(undefined)]));
  expect(gone(1)).toEqual([]);
  for (const nights of [2, 7]) expect(gone(nights)).toEqual([{ cell: 'a', last: 0 }]);
  expect(gone(8)).toEqual([]);
});

test('a benchmark without a figure is missing until it has one again', () => {
  const missing = (has: readonly boolean[]) =>
    stillMissing(
      nightsOf(
        has.map(() => 'passed'),
        (night) => [figure('kept', 1), figure('x', has[night] ? 1 : undefined)],
      ),
    );
  expect(missing([true, false, false])).toEqual([{ cell: 'a', benchmarks: ['x'], last: 0 }]);
  expect(missing([true, true, false, false, false])).toEqual([{ cell: 'a', benchmarks: ['x'], last: 1 }]);
  expect(missing([true, false])).toEqual([]);
  expect(missing([true, false, true])).toEqual([]);
  expect(missing([false, false, false])).toEqual([]);
});
