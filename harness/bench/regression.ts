import { median } from 'simple-statistics';
import type { CellResult, RunResult } from '../events/result.ts';
import type { BenchClock } from '../events/types.ts';
import { holm, mannWhitney } from './rank-test.ts';
import { type Interval, MIN_SAMPLES, ratioOfMedians } from './statistics.ts';

/** How a benchmark stands to what it was. `cannot tell` has a reason. */
export type Change = 'worse' | 'better' | 'same' | 'cannot tell';

/** One benchmark in one cell, in two runs. */
export interface BenchmarkChange {
  readonly cell: string;
  readonly file: string;
  readonly name: string;
  readonly clock: BenchClock;
  readonly change: Change;
  /** Why it cannot be told. */
  readonly reason?: string;
  /** Medians of milliseconds, or millions of instructions, an operation. */
  readonly baseMs?: number;
  readonly newMs?: number;
  /** New to base: 1.1 takes a tenth longer. */
  readonly ratio?: number;
  readonly interval?: Interval;
  /** Of the rank test, corrected for how many benchmarks were compared. */
  readonly p?: number;
}

export interface RegressionOptions {
  /** The least change of the median that matters: 0.02 is 2 %. */
  readonly minEffect: number;
  /** The chance of one false alarm among all benchmarks, if the samples of a run were independent. */
  readonly alpha: number;
}

/**
 * What became of every benchmark between two runs. It is worse, or better, when the rank test says that the two differ
 * (Mann-Whitney, corrected by Holm over all benchmarks) **and** the whole 95 % interval of the ratio of medians lies
 * beyond the least change that matters; the same when the whole interval lies within it; otherwise it cannot be told.
 *
 * Both ask whether the samples differ, not why: a host that was busy during one of the runs makes benchmarks worse that
 * nobody changed. Measurements of different machines are not compared.
 */
export function compareRuns(base: RunResult, next: RunResult, options: RegressionOptions): BenchmarkChange[] {
  const before = new Map(measured(base).map((one) => [one.key, one]));
  const after = new Map(measured(next).map((one) => [one.key, one]));
  const pairs = [...new Set([...before.keys(), ...after.keys()])].map((key) => {
    const [old, fresh] = [before.get(key), after.get(key)];
    const reason = obstacle(old, fresh, base, next);
    return { old, fresh, reason, p: reason === undefined ? mannWhitney(old!.ms, fresh!.ms) : Number.NaN };
  });
  const comparable = pairs.filter(({ reason }) => reason === undefined);
  const corrected = holm(comparable.map(({ p }) => p));
  return pairs.map(({ old, fresh, reason }, index): BenchmarkChange => {
    const { cell, benchmark } = (fresh ?? old)!;
    const common = { cell: cell.name, file: benchmark.file, name: benchmark.name, clock: benchmark.clock };
    if (reason !== undefined) return { ...common, change: 'cannot tell', reason };
    const seed = `${cell.name} ${benchmark.file} ${benchmark.name}`;
    const compared = ratioOfMedians(fresh!.ms, old!.ms, seed);
    if (!compared?.interval)
      return { ...common, change: 'cannot tell', reason: 'the clock is too coarse: its median is 0' };
    const p = corrected[comparable.indexOf(pairs[index]!)]!;
    return {
      ...common,
      ...verdict(compared.interval, p, options),
      baseMs: median([...old!.ms]),
      newMs: median([...fresh!.ms]),
      ratio: compared.ratio,
      interval: compared.interval,
      p,
    };
  });
}

function verdict(
  { low, high }: Interval,
  p: number,
  { minEffect, alpha }: RegressionOptions,
): Pick<BenchmarkChange, 'change' | 'reason'> {
  const [down, up] = [1 / (1 + minEffect), 1 + minEffect];
  if (p < alpha && low > up) return { change: 'worse' };
  if (p < alpha && high < down) return { change: 'better' };
  if (low >= down && high <= up) return { change: 'same' };
  return { change: 'cannot tell', reason: 'the samples are spread too widely: take more, or on a quieter machine' };
}

interface Measured {
  readonly key: string;
  readonly cell: CellResult;
  readonly benchmark: CellResult['benchmarks'][number];
  /** Milliseconds an operation, in the order taken. */
  readonly ms: readonly number[];
}

function measured(run: RunResult): Measured[] {
  return run.cells.flatMap((cell) =>
    cell.benchmarks.map((benchmark) => ({
      key: JSON.stringify([cell.name, benchmark.file, benchmark.name]),
      cell,
      benchmark,
      ms: benchmark.samplesMs.map((ms) => ms / benchmark.operations),
    })),
  );
}

/** Why two measurements say nothing about the code between them, or undefined. */
function obstacle(
  old: Measured | undefined,
  fresh: Measured | undefined,
  base: RunResult,
  next: RunResult,
): string | undefined {
  if (!old) return 'the base has no figure for it';
  if (!fresh) return 'it has no figure any more';
  const few = [old, fresh].find(({ ms }) => ms.length < MIN_SAMPLES);
  if (few)
    return `${few === old ? 'the base' : 'the new run'} has ${few.ms.length} samples, and it takes ${MIN_SAMPLES}`;
  if ([...old.ms, ...fresh.ms].some((ms) => !Number.isFinite(ms))) return 'a sample is no number';
  if (old.benchmark.clock !== fresh.benchmark.clock)
    return `it was timed by the ${old.benchmark.clock}, and is by the ${fresh.benchmark.clock}`;
  if (old.benchmark.operations !== fresh.benchmark.operations) return 'a sample has another number of operations now';
  const [was, is] = [old.cell.facts, fresh.cell.facts];
  if (!was || !is) return 'it is not known what it ran on';
  const differs = (what: string, a: unknown, b: unknown) => (a === b ? undefined : `${what} was ${a}, and is ${b}`);
  return (
    differs('the accelerator', was.accelerator, is.accelerator) ??
    differs('the processor', was.cpu, is.cpu) ??
    differs('the number of vCPUs', was.vcpus, is.vcpus) ??
    differs('the emulator', was.emulator, is.emulator) ??
    differs("the host's processor", base.host.cpu, next.host.cpu)
  );
}
