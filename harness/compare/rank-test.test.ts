import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../bench/random.ts';
import { holm, mannWhitney } from './rank-test.ts';

const range = (from: number, count: number, step = 1) =>
  Array.from({ length: count }, (_, index) => from + index * step);

describe('mannWhitney', () => {
  // Counted out by hand: the number of orders with such a U or a smaller one, of all C(n + m, n), twice.
  test.each([
    ['wholly apart, 4 and 4', range(1, 4), range(5, 4), 2 / 70],
    ['wholly apart, 5 and 5', range(1, 5), range(6, 5), 2 / 252],
    ['wholly apart, 8 and 8', range(1, 8), range(9, 8), 2 / 12870],
    ['interleaved', [1, 3, 5, 7], [2, 4, 6, 8], 0.6857142857142857],
    ['3 and 5, U = 3', [1, 2, 6], [3, 4, 5, 7, 8], 0.25],
  ])('%s', (_, a, b, p) => {
    expect(mannWhitney(a, b)).toBeCloseTo(p, 10);
    expect(mannWhitney(b, a)).toBeCloseTo(p, 10);
  });

  test('with ties: the normal approximation', () => {
    // U = 2, variance 25/12 × (11 − 18/90) = 22.5: z = (|2 − 12.5| − 0.5) / √22.5 = 2.108.
    expect(mannWhitney([1, 2, 2, 3, 4], [3, 4, 5, 6, 7])).toBeCloseTo(0.03501, 5);
    expect(mannWhitney([5, 5, 5], [5, 5, 5])).toBe(1);
  });

  test('exact and approximate agree where both hold', () => {
    const a = range(0, 31, 2);
    const b = range(11, 31, 2);
    const exactA = a.slice(0, 30);
    const exactB = b.slice(0, 30);
    expect(Math.abs(mannWhitney(a, b) - mannWhitney(exactA, exactB))).toBeLessThan(0.02);
  });

  test('a probability, the same both ways', () => {
    const samples = fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const p = mannWhitney(a, b);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(mannWhitney(b, a)).toBeCloseTo(p, 9);
      }),
    );
  });

  test('of sets from one distribution as many are below p as p says', () => {
    const random = seededRandom('rank test');
    const draw = () => Array.from({ length: 10 }, random);
    const below = Array.from({ length: 2000 }, () => mannWhitney(draw(), draw())).filter((p) => p <= 0.05).length;
    // 2000 × 0.05 = 100, standard deviation 9.7; the exact test is a little stricter than its level.
    expect(below).toBeGreaterThan(60);
    expect(below).toBeLessThan(130);
  });

  test('nothing to compare', () => {
    expect(() => mannWhitney([], [1])).toThrow('a side has no samples');
    expect(() => mannWhitney([Number.NaN], [1])).toThrow('a sample is no number');
  });
});

test('holm: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") of R', () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([])).toEqual([]);
});
