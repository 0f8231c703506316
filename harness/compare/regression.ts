import { median } from 'simple-statistics';
import { hasMeasured, type Measured, measuredIn, obstacle, perOperation, waitingIsKnown } from '../bench/measured.ts';
import { type Interval, ratioOfMedians } from '../bench/statistics.ts';
import type { RunResult } from '../events/result.ts';
import type { BenchClock } from '../events/types.ts';
import { holm, mannWhitney } from './rank-test.ts';

/**
 * How a benchmark compares with the base. `maybe` is all that two runs can say, because they cannot tell the code from
 * the host; without it, fresh runs of both commits agree. `cannot tell` has a reason.
 */
export type Change = 'worse' | 'better' | 'maybe worse' | 'maybe better' | 'same' | 'cannot tell';

/** A way in which a benchmark can differ. */
export type Direction = 'worse' | 'better';

/** One benchmark in one cell, in two runs. */
export interface BenchmarkChange {
  readonly cell: string;
  readonly file: string;
  readonly name: string;
  readonly clock: BenchClock;
  readonly change: Change;
  /** Whether figures of both sides were compared at all; if not, the result is no reason for confidence. */
  readonly compared: boolean;
  /** The run that alone has a figure for it. */
  readonly onlyIn?: 'base' | 'new';
  /** Why it cannot be told. */
  readonly reason?: string;
  /** Medians of milliseconds, or millions of instructions, per operation. */
  readonly baseMs?: number;
  readonly newMs?: number;
  /** New to base: 1.1 takes a tenth longer. */
  readonly ratio?: number;
  readonly interval?: Interval;
  /** Of the rank test, corrected for how many benchmarks were compared. */
  readonly p?: number;
  /** Whether fresh runs have to confirm it: by a loose test of this benchmark alone. */
  readonly suspect?: Direction;
  /** The number of fresh runs of each commit behind the decision. */
  readonly freshRuns?: number;
}

/**
 * The smallest change that matters: 0.02 is 2 %. Counts of instructions repeat better than times, so theirs is smaller.
 */
export interface MinEffect {
  readonly times: number;
  readonly instructions: number;
}

export interface RegressionOptions {
  readonly minEffect: MinEffect;
  /** The chance of one false alarm among all benchmarks, if the samples of a run were independent. */
  readonly alpha: number;
}

/**
 * The level at which a single benchmark is suspected, and the part of the smallest change that matters beyond which its
 * ratio has to lie. Loose, because a benchmark missed here is not tested again, and a wrong suspect costs only three
 * fresh runs: with 5 % and the whole change, 81 of 100 counts that had grown by 1 % were suspected in real runs; with
 * these, 95.
 */
const SCREEN = { p: 0.3, part: 0.5 };

/**
 * Compares every benchmark of two runs. It may be worse, or better, if the rank test says that the two differ
 * (Mann-Whitney, corrected by Holm over all benchmarks) **and** the whole 95 % interval of the ratio of medians lies
 * beyond the smallest change that matters; it is the same if the whole interval lies within it; otherwise it cannot be
 * told. Both ask whether the samples differ, not why: a host that was busy during one of the runs makes benchmarks
 * worse that nobody changed. `decision.ts` tests suspects with fresh runs. Measurements of different machines are not
 * compared.
 */
export function compareRuns(base: RunResult, next: RunResult, options: RegressionOptions): BenchmarkChange[] {
  const before = new Map(measuredIn(base).map((one) => [one.key, one]));
  const after = new Map(measuredIn(next).map((one) => [one.key, one]));
  const pairs = [...new Set([...before.keys(), ...after.keys()])].map((key) => {
    const [old, fresh] = [before.get(key), after.get(key)];
    if (!old || !fresh) return lonely((fresh ?? old)!, fresh ? 'new' : 'base', fresh ? base : next);
    const reason = obstacle(old, fresh, base, next);
    return reason === undefined ? pairOf(old, fresh) : { of: fresh, reason };
  });
  const corrected = holm(pairs.flatMap((pair) => ('p' in pair ? [pair.p] : []))).values();
  return pairs.map((pair): BenchmarkChange => {
    const { cell, benchmark } = pair.of;
    const common = { cell: cell.name, file: benchmark.file, name: benchmark.name, clock: benchmark.clock };
    if (!('p' in pair)) {
      const { of: _of, ...why } = pair;
      return { ...common, change: 'cannot tell', compared: false, ...why };
    }
    const p = corrected.next().value!;
    const compared = ratioOfMedians(pair.new, pair.old, `${cell.name} ${benchmark.file} ${benchmark.name}`);
    if (!compared?.interval)
      return { ...common, change: 'cannot tell', compared: false, reason: 'the clock is too coarse: its median is 0' };
    const minEffect = minEffectOf(benchmark.clock, options.minEffect);
    const beyond = directionOf(compared.ratio, SCREEN.part * minEffect);
    return {
      ...common,
      compared: true,
      ...verdict(compared.interval, p, minEffect, options.alpha),
      baseMs: median(pair.old),
      newMs: median(pair.new),
      ratio: compared.ratio,
      interval: compared.interval,
      p,
      ...(beyond && pair.p < SCREEN.p ? { suspect: beyond } : {}),
    };
  });
}

/** A benchmark of only one run, and why the other, `without`, has no figure. */
function lonely(of: Measured, onlyIn: 'base' | 'new', without: RunResult) {
  const cell = without.cells.find(({ name }) => name === of.cell.name);
  const missing = onlyIn === 'new' ? 'the base has no figure for it' : 'it has no figure any more';
  const because = !cell
    ? `: there is no cell ${of.cell.name}`
    : hasMeasured(cell)
      ? ''
      : `: the cell ended ${cell.verdict}${cell.reason === undefined ? '' : ` (${cell.reason})`}`;
  return { of, onlyIn, reason: `${missing}${because}` };
}

function pairOf(old: Measured, fresh: Measured) {
  const subtractWaiting = waitingIsKnown([old.benchmark, fresh.benchmark]);
  const samples = {
    old: perOperation(old.benchmark, subtractWaiting),
    new: perOperation(fresh.benchmark, subtractWaiting),
  };
  return { of: fresh, ...samples, p: mannWhitney(samples.old, samples.new) };
}

export function minEffectOf(clock: BenchClock, minEffect: MinEffect): number {
  return clock === 'instructions' ? minEffect.instructions : minEffect.times;
}

/** The direction of a ratio beyond the smallest change that matters. */
export function directionOf(ratio: number, minEffect: number): Direction | undefined {
  if (ratio > 1 + minEffect) return 'worse';
  return ratio < 1 / (1 + minEffect) ? 'better' : undefined;
}

function verdict(
  { low, high }: Interval,
  p: number,
  minEffect: number,
  alpha: number,
): Pick<BenchmarkChange, 'change' | 'reason'> {
  const [down, up] = [1 / (1 + minEffect), 1 + minEffect];
  if (p < alpha && low > up) return { change: 'maybe worse' };
  if (p < alpha && high < down) return { change: 'maybe better' };
  if (low >= down && high <= up) return { change: 'same' };
  return { change: 'cannot tell', reason: 'the samples are spread too widely: take more, or on a quieter machine' };
}
