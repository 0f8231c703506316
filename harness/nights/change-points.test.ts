import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../bench/random.ts';
import { changePoints, MIN_LENGTH } from './change-points.ts';

type Noise = (random: () => number) => number;
const normal: Noise = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
/** Student's t with 2 degrees of freedom: its variance is infinite. */
const heavy: Noise = (random) => normal(random) / Math.sqrt(-Math.log(1 - random()));
/** What timings are like: never much faster, sometimes much slower. */
const skewed: Noise = (random) => Math.log(1 - random()) ** 2;

function series(
  name: string,
  levels: readonly (readonly [nights: number, level: number])[],
  noise: Noise,
  spread: number,
) {
  const random = seededRandom(name);
  return levels.flatMap(([nights, level]) =>
    Array.from({ length: nights }, () => level * Math.exp(spread * noise(random))),
  );
}

describe('a series in which nothing changes', () => {
  test.each([
    ['normal', normal],
    ['heavy', heavy],
    ['skewed', skewed],
  ])('with %s noise is said to have changed as rarely as asked for', (name, noise) => {
    const alpha = 0.05;
    let alarms = 0;
    for (const nights of [12, 30, 31, 32, 33, 90])
      for (let round = 0; round < 150; round++) {
        const values = series(`${name} ${nights} ${round}`, [[nights, 1]], noise, 0.1);
        if (changePoints(values, { alpha, minEffect: 0 }).length > 0) alarms += 1;
      }
    // Of 900 series 45 are expected, and more than 72 once in 20,000 times.
    expect(alarms).toBeLessThan(72);
  });

  test('180 of them, 400 nights long, give no false alarm at the level of a page', () => {
    const alpha = 0.01 / 180;
    for (let at = 0; at < 180; at++) {
      const noise = [normal, heavy, skewed][at % 3]!;
      const values = series(`page ${at}`, [[400, 1]], noise, 0.1);
      expect(changePoints(values, { alpha, minEffect: 0.03 }), `series ${at}`).toEqual([]);
      if (noise !== skewed)
        expect(changePoints(values, { alpha, minEffect: 0.03, clear: 8 }), `series ${at}`).toEqual([]);
    }
  });

  test('has no change when it is too short, constant or empty', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (nights, level) => {
        expect(changePoints(new Array(nights).fill(level), { alpha: 0.01, minEffect: 0, clear: 8 })).toEqual([]);
      }),
    );
  });
});

describe('a step', () => {
  const page = { alpha: 0.01 / 180, minEffect: 0.03 };

  test('is found where it is, whatever its size and the unit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 25, max: 120 }),
        fc.integer({ min: 12, max: 60 }),
        fc.double({ min: 1.1, max: 50, noNaN: true }),
        fc.constantFrom(1e-6, 1, 1e6),
        fc.boolean(),
        fc.integer(),
        (before, after, ratio, unit, down, seed) => {
          const levels = down ? [ratio * unit, unit] : [unit, ratio * unit];
          const values = series(
            `step ${seed}`,
            [
              [before, levels[0]!],
              [after, levels[1]!],
            ],
            normal,
            0.01,
          );
          const found = changePoints(values, page);
          expect(found).toHaveLength(1);
          expect(found[0]!.index).toBe(before);
          expect(found[0]!.p).toBeLessThanOrEqual(page.alpha);
          expect(found[0]!.ratio / (levels[1]! / levels[0]!)).toBeCloseTo(1, 1);
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  test('that reverts is two, also in a long series', () => {
    const values = series(
      'bump',
      [
        [200, 1],
        [12, 1.2],
        [188, 1],
      ],
      normal,
      0.02,
    );
    expect(changePoints(values, page).map(({ index }) => index)).toEqual([200, 212]);
  });

  test('of 10 % with 5 % of noise is found within 15 nights, and its place within 3', () => {
    const values = series(
      'late',
      [
        [100, 1],
        [15, 1.1],
      ],
      normal,
      0.05,
    );
    const [found, ...others] = changePoints(values, page);
    expect(others).toEqual([]);
    expect(Math.abs(found!.index - 100)).toBeLessThanOrEqual(3);
  });

  test('of 1 % in counts of instructions is found on its third night', () => {
    const options = { alpha: 0.01 / 180, minEffect: 0.005, clear: 8 };
    const values = series(
      'counts',
      [
        [20, 1],
        [MIN_LENGTH, 1.01],
      ],
      normal,
      0.0005,
    );
    expect(changePoints(values, options).map(({ index }) => index)).toEqual([20]);
    expect(changePoints(values.slice(0, -1), options)).toEqual([]);
    // Ranks alone cannot know: three of 23 come last by chance once in 1771.
    expect(changePoints(values, { alpha: 0.01 / 180, minEffect: 0.005 })).toEqual([]);
  });

  test('that is too small to matter is ignored, and larger ones are kept', () => {
    const values = series(
      'small',
      [
        [60, 1],
        [60, 1.02],
        [60, 1.2],
      ],
      normal,
      0.004,
    );
    expect(changePoints(values, page).map(({ index }) => index)).toEqual([120]);
    expect(changePoints(values, { ...page, minEffect: 0.01 }).map(({ index }) => index)).toEqual([60, 120]);
  });

  test('is found among single nights that are far out', () => {
    const values = series(
      'outliers',
      [
        [40, 1],
        [20, 1.1],
      ],
      normal,
      0.02,
    ).map((value, night) => (night % 11 === 5 ? value * 4 : value));
    const found = changePoints(values, page);
    expect(found).toHaveLength(1);
    // The 39th is one of them, and might as well belong to the right.
    expect(Math.abs(found[0]!.index - 40)).toBeLessThanOrEqual(2);
  });
});

test('the same series gives the same changes, regardless of earlier calls', () => {
  const values = series(
    'again',
    [
      [30, 1],
      [9, 1.15],
    ],
    normal,
    0.05,
  );
  const first = changePoints(values, { alpha: 0.001, minEffect: 0.03 });
  changePoints(series('other', [[39, 1]], heavy, 0.2), { alpha: 0.00001, minEffect: 0 });
  expect(changePoints(values, { alpha: 0.001, minEffect: 0.03 })).toEqual(first);
});

test('a value that is not a positive number is refused', () => {
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => changePoints([1, 2, bad, 4], { alpha: 0.01, minEffect: 0 })).toThrow(RangeError);
});
