import { median, probit } from 'simple-statistics';
import { seededRandom } from '../bench/random.ts';
import { scaledMad } from '../bench/statistics.ts';

/** A point in a series where its level changes for good, or at least for some time. */
export interface ChangePoint {
  /** The position of the first value after the change. */
  readonly index: number;
  /** Medians of the values between the previous change and this one, and between this one and the next. */
  readonly before: number;
  readonly after: number;
  /** after / before. */
  readonly ratio: number;
  /** The probability that a series without a change has a point at least as clear as this. */
  readonly p: number;
}

export interface ChangePointOptions {
  /** The chance of a false alarm in a series without changes. Divide it by the number of series. */
  readonly alpha: number;
  /** The smallest change of the median that matters: 0.02 is 2 %. */
  readonly minEffect: number;
  /**
   * For figures that do not depend on the host's load: {@link MIN_LENGTH} values in a row, all on one side and this
   * many robust standard deviations from the median before, are a change at once. Absent: ranks alone decide.
   */
  readonly clear?: number;
}

/** The fewest values that a change lasts, because a single night may be anything. */
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
 * looked for once more between its neighbours, by the levels, and changes of less than `minEffect` are taken out, the least first.
 *
 * Short intervals find what comes and goes again, which a split of the whole series in two does not see.
 *
 * With `clear`, a large enough difference is a change after {@link MIN_LENGTH} values, where ranks need more of them.
 * Even of
 * a distribution without a variance (Student's t with 2 degrees of freedom) a value lies 8 robust standard deviations
 * out on one side once in 250; three in a row are once in 10⁷. Timings, which are sometimes much slower and never much
 * faster, are out more often than that: it is not for them.
 *
 * Where it fails: nights that are slow in a row for one reason (a busy host, another machine of a fleet) are no random
 * order, and are found as the change that they are; that is for who calls it to take out before. A slow drift becomes
 * some steps. Few nights can prove little, however large the step: m values before and k after come in this order by
 * chance once in C(m + k, k). With an alpha of 1/3000 (30 series on a page) a clear step is found after 8 nights with 13
 * before, after 6 with 30 and after 4 with 400; with 180 series a night or two later.
 *
 * Sources: the set of intervals, Kovács, Bühlmann, Li and Munk, Seeded Binary Segmentation, Biometrika 110 (2023);
 * the scores, Blom, Statistical Estimates and Transformed Beta-Variables (1958); a permutation test of the largest
 * statistic and the search in both sides, as E-Divisive by Matteson and James, JASA 109 (2014), whose statistic is of
 * means of distances: it takes changes of the spread for changes, and its test is made for each series anew.
 * @param values positive, in the order of time.
 * @throws RangeError when a value is not a positive number.
 */
export function changePoints(values: readonly number[], options: ChangePointOptions): ChangePoint[] {
  if (values.some((value) => !(value > 0 && value < Number.POSITIVE_INFINITY)))
    throw new RangeError('cannot look for changes: a value is not a positive number');
  const found = search(values, 0, options);
  const logs = values.map(Math.log);
  const placed = found.map(({ index, p }, at) => {
    const [from, to] = [found[at - 1]?.index ?? 0, found[at + 1]?.index ?? values.length];
    return { index: from + placeOf(logs.slice(from, to), index - from), p };
  });
  return withoutSmall(values, placed, options.minEffect);
}

interface Split {
  /** The first position on the right. */
  readonly index: number;
  readonly statistic: number;
}

/** The changes inside a stretch that begins at `offset`, in order. */
function search(
  values: readonly number[],
  offset: number,
  options: ChangePointOptions,
): { index: number; p: number }[] {
  const size = values.length;
  if (size < 2 * MIN_LENGTH) return [];
  const { index, statistic } = strongest(scoresOf(values), intervalsOf(size));
  const p = chanceOf(statistic, size, options.alpha);
  const place = p <= options.alpha ? index : farAway(values, options);
  if (place === undefined) return [];
  return [
    ...search(values.slice(0, place), offset, options),
    { index: offset + place, p },
    ...search(values.slice(place), offset + place, options),
  ];
}

/** Values needed to establish a level, before others can be far from it. */
const LEVEL = 6;

/** The first point after which {@link MIN_LENGTH} values in a row are far from all before. */
function farAway(values: readonly number[], { clear, minEffect }: ChangePointOptions): number | undefined {
  if (clear === undefined) return undefined;
  for (let place = LEVEL; place <= values.length - MIN_LENGTH; place++) {
    const level = values.slice(0, place);
    const centre = median(level);
    const apart = Math.max(clear * scaledMad(level), minEffect * centre);
    const away = values.slice(place, place + MIN_LENGTH).map((value) => value - centre);
    if (away.every((distance) => distance > apart) || away.every((distance) => distance < -apart)) return place;
  }
  return undefined;
}

/**
 * Where between two levels a change is: the split with the least Σ |xᵢ − median of its side|, the medians being those
 * beside the place that the ranks found. Ranks know that a value is high, and not which level it is nearer to.
 */
function placeOf(values: readonly number[], index: number): number {
  const [left, right] = [median(values.slice(0, index)), median(values.slice(index))];
  let [best, least, cost] = [MIN_LENGTH, 0, 0];
  // Against the first split: with each further one, one value changes sides.
  for (let split = MIN_LENGTH + 1; split <= values.length - MIN_LENGTH; split++) {
    const value = values[split - 1]!;
    cost += Math.abs(value - left) - Math.abs(value - right);
    if (cost < least) [best, least] = [split, cost];
  }
  return best;
}

/** Removes the changes that do not matter, the smallest first, because removing one moves the medians beside it. */
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

/** The largest statistics of random orders of n scores, as many as requested, in the order drawn. */
const drawn = new Map<number, { readonly next: () => number; readonly largest: number[] }>();

/** This many random orders that exceed a statistic show that it is insignificant. */
const ENOUGH = 20;

/** Budget of random orders times values: a fifth of a second. */
const WORK = 2e6;

/**
 * The chance of a statistic as large as this, t, among all orders of `size` scores.
 *
 * A split alone is beyond t with a chance of at most 2 exp(−t²/2), because the scores are what ranks say of a normal
 * sample; for all splits together that is enough where t is large. Where it is not, random orders are drawn, the same
 * ones for every series of this length, until {@link ENOUGH} of them are beyond t. What is rarer than can be drawn is
 * taken from the rarest that was, u with the chance q: q (t/u)³ exp(−(t² − u²)/2). Against a million orders of 17 to 400
 * values that was between 1 and 30 times too much for chances down to 10⁻⁵, never less than 0.93 times: a change may come
 * a night late for it.
 */
function chanceOf(statistic: number, size: number, alpha: number): number {
  const splits = intervalsOf(size).reduce((sum, [from, to]) => sum + to - from, 0);
  const bound = 2 * splits * Math.exp(-(statistic ** 2) / 2);
  if (bound <= alpha / 10) return bound;
  const most = Math.ceil(Math.max(2000, Math.min(10 / alpha, WORK / size)));
  let draws = 0;
  let beyond = 0;
  while (draws < most && beyond < ENOUGH) if (drawnAt(size, draws++) >= statistic - 1e-9) beyond += 1;
  if (beyond === ENOUGH) return beyond / draws;
  const rare = rarest(size, most);
  const tail = (ENOUGH / most) * (statistic / rare) ** 3 * Math.exp(-(statistic ** 2 - rare ** 2) / 2);
  return Math.min(bound, tail, (beyond + 1) / (draws + 1));
}

const rarestOf = new Map<string, number>();

/** The statistic that {@link ENOUGH} of this many random orders reach. */
function rarest(size: number, draws: number): number {
  const key = `${size} ${draws}`;
  let value = rarestOf.get(key);
  if (value === undefined) {
    const largest = Float64Array.from({ length: draws }, (_, index) => drawnAt(size, index)).sort();
    value = largest[draws - ENOUGH]!;
    rarestOf.set(key, value);
  }
  return value;
}

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
