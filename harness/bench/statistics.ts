import { median, medianAbsoluteDeviation, medianSorted, quantileSorted } from 'simple-statistics';
import { seededRandom } from './random.ts';

/** An interval that contains the true value with 95 % confidence, in the unit of the samples. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A measurement in a few robust figures. All in the unit of the samples. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly median: number;
  /** Scaled so that it estimates the standard deviation of normal data: see {@link scaledMad}. */
  readonly mad: number;
  /** Absent below {@link MIN_SAMPLES} samples. */
  readonly interval?: Interval;
  /** Positions of samples far from the median, in the order taken. They are named, never dropped. */
  readonly outliers: readonly number[];
}

/**
 * Below six samples no interval of the median reaches 95 %: the probability that all lie on one side of it is
 * 2 × 0.5^n, and 2 × 0.5^5 = 6.25 %.
 */
export const MIN_SAMPLES = 6;

const RESAMPLES = 2000;

/**
 * The median absolute deviation times 1.4826 (= 1 / Φ⁻¹(3/4)): MAD = median(|xᵢ − median(x)|).
 * 0 when more than half of the samples are equal, however far the others lie: coarse clocks do that.
 * Source: Rousseeuw and Croux, Alternatives to the Median Absolute Deviation, JASA 88 (1993).
 */
export function scaledMad(samples: readonly number[]): number {
  return 1.4826 * medianAbsoluteDeviation([...samples]);
}

/**
 * Positions of the samples whose modified z-score, 0.6745 × |xᵢ − median| / MAD, is above 3.5. Where MAD is 0 the
 * mean absolute deviation takes its place: |xᵢ − median| / (1.2533 × meanAD). It takes the distribution for symmetric,
 * so the long right tail of timings is named more often than it deserves.
 * Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993); the fallback is IBM SPSS's.
 */
export function outliers(samples: readonly number[]): number[] {
  if (samples.length === 0) return [];
  const centre = median([...samples]);
  const distances = samples.map((sample) => Math.abs(sample - centre));
  const mad = median(distances);
  const meanDistance = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  const scale = mad > 0 ? mad / 0.6745 : 1.2533 * meanDistance;
  if (scale === 0) return [];
  return distances.flatMap((distance, index) => (distance / scale > 3.5 ? [index] : []));
}

/**
 * Median, spread, and the 95 % percentile-bootstrap interval of the median (2000 resamples).
 * The samples are taken for independent: drift and warm-up make the interval too narrow, and for few samples the
 * percentile bootstrap covers less than it says.
 * Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
 * @param seed names the measurement: the same name and samples give the same interval.
 * @throws RangeError without samples.
 */
export function summarize(samples: readonly number[], seed: string): Summary {
  if (samples.length === 0) throw new RangeError(`cannot summarize ${seed}: there are no samples`);
  const sorted = ascending(samples);
  return {
    count: sorted.length,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    median: medianSorted([...sorted]),
    mad: scaledMad(samples),
    ...(sorted.length >= MIN_SAMPLES ? { interval: percentiles(resampledMedians(sorted, seededRandom(seed))) } : {}),
    outliers: outliers(samples),
  };
}

/**
 * How many times the median of `control` the median of `samples` is, with the 95 % percentile-bootstrap interval of
 * that ratio; both sides are resampled independently. Undefined when the control's median is 0: the clock was too
 * coarse. The interval says nothing about systematic differences, such as another machine or another load.
 * Source: as {@link summarize}; ratios of medians rather than tests across machines, for a difference is expected.
 */
export function ratioOfMedians(
  samples: readonly number[],
  control: readonly number[],
  seed: string,
): { readonly ratio: number; readonly interval?: Interval } | undefined {
  if (samples.length === 0 || control.length === 0) return undefined;
  const [above, below] = [ascending(samples), ascending(control)];
  const divisor = medianSorted([...below]);
  if (!(divisor > 0)) return undefined;
  const ratio = medianSorted([...above]) / divisor;
  if (Math.min(above.length, below.length) < MIN_SAMPLES) return { ratio };
  const random = seededRandom(seed);
  const numerators = resampledMedians(above, random);
  const ratios = resampledMedians(below, random).map((median, index) => numerators[index]! / median);
  return { ratio, interval: percentiles(ratios) };
}

/** Operations per second: `operations` per median sample, in milliseconds. */
export function throughput(medianMs: number, operations: number): number {
  return (operations * 1000) / medianMs;
}

function ascending(samples: readonly number[]): Float64Array {
  return Float64Array.from(samples).sort();
}

/** 2.5 % and 97.5 % quantiles, linearly interpolated (R's type 7). */
function percentiles(values: Float64Array): Interval {
  const sorted = [...values.sort()];
  return { low: quantileSorted(sorted, 0.025), high: quantileSorted(sorted, 0.975) };
}

/** Medians of samples drawn with replacement. Draws are counted by rank, so that no resample has to be sorted. */
function resampledMedians(sorted: Float64Array, random: () => number): Float64Array {
  const size = sorted.length;
  const [lower, upper] = [(size - 1) >> 1, size >> 1];
  const drawn = new Uint32Array(size);
  return new Float64Array(RESAMPLES).map(() => {
    drawn.fill(0);
    for (let draw = 0; draw < size; draw++) drawn[Math.floor(random() * size)]!++;
    return (sorted[rankOf(drawn, lower)]! + sorted[rankOf(drawn, upper)]!) / 2;
  });
}

/** The position in `counts` at which the running sum passes `rank`. */
function rankOf(counts: Uint32Array, rank: number): number {
  let seen = 0;
  for (let index = 0; index < counts.length; index++) {
    seen += counts[index]!;
    if (seen > rank) return index;
  }
  return counts.length - 1;
}
