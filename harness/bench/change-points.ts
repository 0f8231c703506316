import { median, probit } from 'simple-statistics';
import { seededRandom } from './random.ts';

/** A place in a series where its level changes for good, or at least for some time. */
export interface ChangePoint {
  /** The position of the first value after the change. */
  readonly index: number;
  /** Medians of the values between the change before and this one, and between this one and the next. */
  readonly before: number;
  readonly after: number;
  /** after / before. */
  readonly ratio: number;
  /** How often a series without a change has a place that looks as much like one as this, or more. */
  readonly p: number;
}

export interface ChangePointOptions {
  /** The chance that a series in which nothing changes is said to have changed. Divide it by the number of series. */
  readonly alpha: number;
  /** The least change of the median that matters: 0.02 is 2 %. */
  readonly minEffect: number;
}

/** A change lasts for as many values as this, or it is none: one night may be anything. */
export const MIN_LENGTH = 3;

/**
 * Where the level of a series changes, in order.
 *
 * The values are replaced by the normal scores of their ranks, z = Φ⁻¹((rank − 3/8) / (n + 1/4)), equal ones by the mean
 * of theirs. For every interval of a fixed set (all lengths n, n/2, n/4, …, each shifted by half of itself) and every
 * split of it into l and r values the statistic is |mean left − mean right| × √(l r / (l + r)); the largest of all is
 * the change. It counts when no more than `alpha` of all orders of the same values have a larger one. That depends on n
 * alone, whatever the values are distributed like, because only ranks are looked at: far outliers are no more than the
 * largest value, and nothing is taken for normal. Then both sides are searched in the same way. At the end each place is
 * looked for once more between its neighbours, and changes of less than `minEffect` are taken out, the least first.
 *
 * Short intervals find what comes and goes again, which a split of the whole series in two does not see.
 *
 * Where it fails: nights that are slow in a row for one reason (a busy host, another machine of a fleet) are no random
 * order, and are found as the change that they are; that is for who calls it to take out before. A slow drift becomes
 * some steps. Few nights can prove little, however large the step: m values before and k after come in this order by
 * chance once in C(m + k, k), so that with 12 before it takes 5 after for an alpha of 1/1000, and 3 with 100 before.
 *
 * Sources: the set of intervals, Kovács, Bühlmann, Li and Munk, Seeded Binary Segmentation, Biometrika 110 (2023);
 * the scores, Blom, Statistical Estimates and Transformed Beta-Variables (1958); a permutation test of the largest
 * statistic and the search in both sides, as E-Divisive by Matteson and James, JASA 109 (2014), whose statistic is of
 * means of distances: it takes changes of the spread for changes, and its test is made for each series anew.
 * @param values positive, in the order of time.
 * @throws RangeError when a value is not a positive number.
 */
export function changePoints(values: readonly number[], { alpha, minEffect }: ChangePointOptions): ChangePoint[] {
  if (values.some((value) => !(value > 0 && value < Number.POSITIVE_INFINITY)))
    throw new RangeError('cannot look for changes: a value is not a positive number');
  const found = search(values, 0, alpha);
  const placed = found.map(({ index, p }, at) => {
    const [from, to] = [found[at - 1]?.index ?? 0, found[at + 1]?.index ?? values.length];
    return { index: from + strongest(scoresOf(values.slice(from, to)), [[0, to - from]]).index, p };
  });
  return withoutSmall(values, placed, minEffect);
}

interface Split {
  /** The first position on the right. */
  readonly index: number;
  readonly statistic: number;
}

/** The changes inside a stretch that begins at `offset`, in order. */
function search(values: readonly number[], offset: number, alpha: number): { index: number; p: number }[] {
  const size = values.length;
  if (size < 2 * MIN_LENGTH) return [];
  const { index, statistic } = strongest(scoresOf(values), intervalsOf(size));
  const p = chanceOf(statistic, size, alpha);
  if (p > alpha) return [];
  return [
    ...search(values.slice(0, index), offset, alpha),
    { index: offset + index, p },
    ...search(values.slice(index), offset + index, alpha),
  ];
}

/** Takes out the changes that do not matter, the least first, because taking one out moves the medians beside it. */
function withoutSmall(
  values: readonly number[],
  places: readonly { readonly index: number; readonly p: number }[],
  minEffect: number,
): ChangePoint[] {
  const level = (at: number) => median(values.slice(places[at - 1]?.index ?? 0, places[at]?.index ?? values.length));
  const changes = places.map(({ index, p }, at): ChangePoint => {
    const [before, after] = [level(at), level(at + 1)];
    return { index, before, after, ratio: after / before, p };
  });
  const size = ({ ratio }: ChangePoint) => Math.abs(Math.log(ratio));
  const least = changes.toSorted((one, other) => size(one) - size(other))[0];
  if (!least || size(least) >= Math.log(1 + minEffect)) return changes;
  return withoutSmall(
    values,
    places.filter(({ index }) => index !== least.index),
    minEffect,
  );
}

/** Normal scores of the ranks, in the order of the values. */
function scoresOf(values: readonly number[]): Float64Array {
  const size = values.length;
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const scores = new Float64Array(size);
  for (let begin = 0; begin < size; ) {
    let end = begin;
    let sum = 0;
    while (end < size && values[order[end]!] === values[order[begin]!]) sum += probit((++end - 0.375) / (size + 0.25));
    for (let at = begin; at < end; at++) scores[order[at]!] = sum / (end - begin);
    begin = end;
  }
  return scores;
}

type Stretch = readonly [from: number, to: number];
const intervalSets = new Map<number, readonly Stretch[]>();

/** All intervals of the lengths n, n/2, n/4, … that begin at multiples of half of their length, and one at the end. */
function intervalsOf(size: number): readonly Stretch[] {
  let intervals = intervalSets.get(size);
  if (intervals) return intervals;
  const all: Stretch[] = [];
  for (let length = size; length >= 2 * MIN_LENGTH; length = Math.ceil(length / 2)) {
    const step = Math.ceil(length / 2);
    for (let from = 0; from + length < size; from += step) all.push([from, from + length]);
    all.push([size - length, size]);
  }
  intervals = all;
  intervalSets.set(size, intervals);
  return intervals;
}

/** The split with the largest statistic. */
function strongest(scores: Float64Array, intervals: readonly Stretch[]): Split {
  const sums = new Float64Array(scores.length + 1);
  for (let at = 0; at < scores.length; at++) sums[at + 1] = sums[at]! + scores[at]!;
  let [index, statistic] = [MIN_LENGTH, 0];
  for (const [from, to] of intervals) {
    const mean = (sums[to]! - sums[from]!) / (to - from);
    for (let split = from + MIN_LENGTH; split <= to - MIN_LENGTH; split++) {
      const left = split - from;
      const excess = sums[split]! - sums[from]! - left * mean;
      // |mean left − mean right| × √(l r / (l + r)), squared.
      const squared = (excess * excess * (to - from)) / (left * (to - split));
      if (squared > statistic) [index, statistic] = [split, squared];
    }
  }
  return { index, statistic: Math.sqrt(statistic) };
}

/** The largest statistics of random orders of n scores, as many as somebody asked for, in the order drawn. */
const drawn = new Map<number, { readonly next: () => number; readonly largest: number[] }>();

/**
 * The chance of a statistic as large as this among all orders of `size` scores.
 *
 * A split alone is beyond t with a chance of at most 2 exp(−t²/2), because the scores are what ranks say of a normal
 * sample; for all splits together that is enough where t is large. Where it is not, random orders are drawn: the same
 * ones for every series of this length, fewer where the answer is clear.
 */
function chanceOf(statistic: number, size: number, alpha: number): number {
  const splits = intervalsOf(size).reduce((sum, [from, to]) => sum + to - from, 0);
  const bound = 2 * splits * Math.exp(-(statistic ** 2) / 2);
  if (bound <= alpha / 10) return bound;
  const most = Math.ceil(10 / alpha);
  let draws = 0;
  let beyond = 0;
  while (draws < most && beyond < ENOUGH) if (drawnAt(size, draws++) >= statistic - 1e-9) beyond += 1;
  return Math.min(bound, (beyond + 1) / (draws + 1));
}

/** So many random orders that beat a statistic show that it is nothing: it would take ten times as many draws. */
const ENOUGH = 20;

function drawnAt(size: number, index: number): number {
  let entry = drawn.get(size);
  if (!entry) {
    const random = seededRandom(`orders of ${size}`);
    const scores = scoresOf(Array.from({ length: size }, (_, at) => at));
    const next = () => {
      for (let at = size - 1; at > 0; at--) {
        const other = Math.floor(random() * (at + 1));
        [scores[at], scores[other]] = [scores[other]!, scores[at]!];
      }
      return strongest(scores, intervalsOf(size)).statistic;
    };
    entry = { next, largest: [] };
    drawn.set(size, entry);
  }
  while (entry.largest.length <= index) entry.largest.push(entry.next());
  return entry.largest[index]!;
}
