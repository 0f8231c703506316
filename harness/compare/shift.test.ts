import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mannWhitney } from './rank-test.ts';
import { shiftOf } from './shift.ts';

const figures = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 1, maxLength: 12 });

test('a set of tripled values has a ratio of three', () => {
  const base = [1, 1.1, 1.2, 1.3, 1.4, 1.5];
  const { ratio, interval } = shiftOf(
    base,
    base.map((ms) => 3 * ms),
  )!;
  expect(ratio).toBeCloseTo(3, 10);
  expect(interval!.low).toBeLessThan(3);
  expect(interval!.high).toBeGreaterThan(3);
});

test('turned round, ratio and interval are the reciprocals', () =>
  fc.assert(
    fc.property(figures, figures, (a, b) => {
      const [one, other] = [shiftOf(a, b)!, shiftOf(b, a)!];
      expect(one.ratio * other.ratio).toBeCloseTo(1, 9);
      expect(one.interval === undefined).toBe(other.interval === undefined);
      if (one.interval && other.interval) expect(one.interval.low * other.interval.high).toBeCloseTo(1, 9);
    }),
  ));

test('interval and rank test agree: what lies outside differs at 5 %', () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 16, maxLength: 16 }),
      (all) => {
        const [a, b] = [all.slice(0, 8), all.slice(8)];
        const { low, high } = shiftOf(a, b)!.interval!;
        expect(low > 1 || high < 1).toBe(mannWhitney(a, b) <= 0.05);
      },
    ),
  ));

test('three on a side are too few for an interval, four are enough', () => {
  expect(shiftOf([1, 2, 3], [4, 5, 6])).toEqual({ ratio: 2.5 });
  expect(shiftOf([1, 2, 3, 4], [5, 6, 7, 8])!.interval).toEqual({ low: 1.25, high: 8 });
});

test('without figures, or with a zero, there is no ratio', () => {
  expect(shiftOf([], [1])).toBeUndefined();
  expect(shiftOf([1], [])).toBeUndefined();
  expect(shiftOf([0, 1], [1])).toBeUndefined();
  expect(shiftOf([1], [Number.NaN])).toBeUndefined();
});
