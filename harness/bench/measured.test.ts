import { expect, test } from 'vitest';
import type { CellResult } from '../events/result.ts';
import { figureOf, perOperation, waitingIsKnown } from './measured.ts';

type Benchmark = CellResult['benchmarks'][number];
const benchmark: Benchmark = {
  name: 'b',
  file: 'a.bench.ts',
  clock: 'guest',
  samplesMs: [20, 10, 60],
  operations: 10,
  warmupSamples: 0,
  warnings: [],
};

test('waiting for the host is subtracted from times, never from counts', () => {
  expect(perOperation(benchmark, true)).toEqual([2, 1, 6]);
  expect(perOperation({ ...benchmark, waited: 0.5 }, true)).toEqual([1, 0.5, 3]);
  expect(perOperation({ ...benchmark, waited: 0.5 }, false)).toEqual([2, 1, 6]);
  expect(perOperation({ ...benchmark, waited: 0.5, clock: 'instructions' }, true)).toEqual([2, 1, 6]);
});

test('the figure of a run is the median, or the mean if waiting was subtracted', () => {
  expect(figureOf(benchmark, false)).toBe(2);
  expect(figureOf({ ...benchmark, samplesMs: [20, 10, 60, 40] }, false)).toBe(3);
  expect(figureOf({ ...benchmark, waited: 0.5 }, true)).toBe(1.5);
  expect(figureOf({ ...benchmark, waited: 0.5, clock: 'instructions' }, true)).toBe(2);
});

test('waiting is subtracted only if all runs recorded it, and something remains', () => {
  const known = { ...benchmark, waited: 0.5 };
  expect(waitingIsKnown([known, known])).toBe(true);
  expect(waitingIsKnown([known, benchmark])).toBe(false);
  expect(waitingIsKnown([known, { ...benchmark, waited: 1 }])).toBe(false);
});
