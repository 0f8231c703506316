import { median, medianAbsoluteDeviation } from 'simple-statistics';
import { changePoints } from './change-points.ts';

/** With fewer benchmarks than this, a single change is a large part of what they have in common. */
export const FEWEST_TOGETHER = 5;

/** A benchmark this many robust standard deviations from the others' common factor does not count in a night. */
const FAR = 3;

/** Levels and factors are estimated in turns; more rounds change nothing that can be seen. */
const ROUNDS = 3;

/** The certainty and size of a change of level at which it is the benchmark's own and not the common factor. */
const OWN_CHANGE = { alpha: 0.001, minEffect: 0.03 } as const;

/**
 * What all benchmarks of a night have in common: 1.2 where most of them took a fifth longer than they usually do. That
 * is the machine (a busy host, another clock rate), because a commit changes one benchmark or a few.
 *
 * With x the logarithms, the model is x_st = m_s(t) + h_t + noise: a level of each series, which is constant except at
 * changes of its own, plus what the night did to all. Estimated in turns:
 *
 * - h_t is a reweighted least-trimmed-squares location of r_s = x_st − m_s(t). Of the n residuals sorted, the n − ⌊n/3⌋
 *   neighbours with the least variance are taken, T is their mean, and h_t is the median of all with |r_s − T| ≤ 3 σ_s.
 *   The breakdown point is ⌊n/3⌋ / n: a third of the series, wherever they are, cannot move T beyond the others, and
 *   those further away than noise explains do not count at all. A plain median would not break down either, but with a
 *   third of the series on one side it is the 75th percentile of the rest, 0.67 σ too high.
 * - σ_s is the scaled MAD of the differences between one night and the next, over √2: a change of level is in one
 *   difference only, and so does not make a benchmark look noisy. It is at least the median of the cell's, so that a
 *   coarse clock, which repeats to the digit, is not always too far away.
 * - m_s(t) is the median of x_st − h_t, first of all nights, then, two times, between the changes that {@link changePoints}
 *   finds in them. With one level for all nights, a series that changed half-way would be off by half of its change in
 *   every night, before it too.
 *
 * It fails when more than a third of the benchmarks change together: what half of them do is the machine. Of nights with
 * fewer than {@link FEWEST_TOGETHER} values the factor is not known. A drift of a third of the series slower than
 * changes can be found is partly taken for the machine's.
 * Sources: Rousseeuw, Least Median of Squares Regression, JASA 79 (1984), for the trimming; Rousseeuw and Leroy, Robust
 * Regression and Outlier Detection (1987), chapter 1 section 3 and chapter 4, for the location by neighbours and the
 * reweighting (at 2.5 σ there; timings have longer tails).
 * @param series each a map from night to a positive value; nights are 0 to `nights` − 1.
 */
export function commonMode(series: readonly ReadonlyMap<number, number>[], nights: number): (number | undefined)[] {
  const logs = series.map((values) => [...values].map(([night, value]) => ({ night, log: Math.log(value) })));
  let common = new Array<number | undefined>(nights).fill(undefined);
  for (const levelsOf of [oneLevel, levelsBetweenChanges, levelsBetweenChanges]) {
    let levels = logs.map((points) => levelsOf(rest(points, common)));
    for (let round = 0; round < ROUNDS; round++) {
      const own = logs.map((points) => stepNoise(rest(points, common)));
      const least = own.length > 0 ? median(own) : 0;
      const sigmas = own.map((sigma) => Math.max(sigma, least));
      const nightly: Residual[][] = Array.from({ length: nights }, () => []);
      for (const [at, points] of logs.entries())
        for (const [index, { night, log }] of points.entries())
          nightly[night]!.push({ value: log - levels[at]!.at(index), sigma: sigmas[at]! });
      common = nightly.map((residuals) => (residuals.length < FEWEST_TOGETHER ? undefined : locationOf(residuals)));
      levels = logs.map((points, at) => levels[at]!.anew(rest(points, common)));
    }
  }
  return common.map((log) => (log === undefined ? undefined : Math.exp(log)));
}

interface Point {
  readonly night: number;
  readonly log: number;
}

/** A piecewise constant level: `at` is its value at a position, `anew` the same changes with other values. */
interface Levels {
  at(index: number): number;
  anew(values: readonly number[]): Levels;
}

interface Residual {
  readonly value: number;
  readonly sigma: number;
}

/** A series without the factor that its nights have in common. */
function rest(points: readonly Point[], common: readonly (number | undefined)[]): number[] {
  return points.map(({ night, log }) => log - (common[night] ?? 0));
}

function oneLevel(values: readonly number[]): Levels {
  return levelsWith([], values);
}

function levelsBetweenChanges(values: readonly number[]): Levels {
  return levelsWith(
    changePoints(values.map(Math.exp), OWN_CHANGE).map(({ index }) => index),
    values,
  );
}

/** @param changes positions of the first values after a change, in order. */
function levelsWith(changes: readonly number[], values: readonly number[]): Levels {
  const from = [0, ...changes];
  const medians = from.map((begin, at) => median(values.slice(begin, changes[at] ?? values.length)));
  return {
    at: (index) => medians[from.findLastIndex((begin) => begin <= index)]!,
    anew: (fresh) => levelsWith(changes, fresh),
  };
}

/** The standard deviation of a value, from the differences between neighbours. */
function stepNoise(values: readonly number[]): number {
  const steps = values.slice(1).map((value, index) => value - values[index]!);
  return steps.length === 0 ? Number.POSITIVE_INFINITY : (1.4826 * medianAbsoluteDeviation(steps)) / Math.SQRT2;
}

/** The centre of at least one residual, robust against a third of them. */
function locationOf(residuals: readonly Residual[]): number {
  const sorted = residuals.map(({ value }) => value).sort((a, b) => a - b);
  const start = trimmedMean(sorted, sorted.length - Math.floor(sorted.length / 3));
  const near = residuals.filter(({ value, sigma }) => Math.abs(value - start) <= FAR * sigma);
  return near.length === 0 ? start : median(near.map(({ value }) => value));
}

/** The mean of the `size` neighbours with the least variance. */
function trimmedMean(sorted: readonly number[], size: number): number {
  let [sum, squares] = [0, 0];
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  // Relative to the middle, so that the variance is not a difference of large numbers.
  const middle = sorted[sorted.length >> 1]!;
  for (const [index, value] of sorted.entries()) {
    const entering = value - middle;
    const leaving = index < size ? 0 : sorted[index - size]! - middle;
    sum += entering - leaving;
    squares += entering ** 2 - leaving ** 2;
    const variance = squares - sum ** 2 / size;
    if (index >= size - 1 && variance < least) [best, least] = [middle + sum / size, variance];
  }
  return best;
}
