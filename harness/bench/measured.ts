import { distinctNames } from '../events/identity.ts';
import type { CellResult, RunResult } from '../events/result.ts';
import { MIN_SAMPLES } from './statistics.ts';

type Benchmark = CellResult['benchmarks'][number];

/** A benchmark's measurement in a cell of a run. */
export interface Measured {
  /** The same in each run that has it. */
  readonly key: string;
  readonly cell: CellResult;
  readonly benchmark: Benchmark;
}

/**
 * A key for each benchmark of a cell, the same in other runs and on other architectures: file and name; if those are
 * not unique, also the test, then the position.
 */
export function benchmarkKeys(benchmarks: readonly Pick<Benchmark, 'file' | 'name' | 'test'>[]): string[] {
  return distinctNames(benchmarks, [
    ({ file, name }) => JSON.stringify([file, name]),
    ({ file, name, test }) => JSON.stringify([file, name, test]),
  ]);
}

/** The display name of each benchmark of a cell: its name, or what distinguishes it from others of that name. */
export function benchmarkLabels(benchmarks: readonly Pick<Benchmark, 'file' | 'name' | 'test'>[]): string[] {
  const labels: string[] = [];
  for (const indexes of Map.groupBy(benchmarks.keys(), (index) => benchmarks[index]!.file).values()) {
    const names = distinctNames(
      indexes.map((index) => benchmarks[index]!),
      [({ name }) => name, ({ name, test }) => (test === undefined ? name : `${test} › ${name}`)],
    );
    for (const [place, index] of indexes.entries()) labels[index] = names[place]!;
  }
  return labels;
}

/** The measurements of a run. */
export function measuredIn(run: Pick<RunResult, 'cells'>): Measured[] {
  return run.cells.flatMap((cell) => {
    const keys = benchmarkKeys(cell.benchmarks);
    return cell.benchmarks.map((benchmark, index) => ({
      key: JSON.stringify([cell.name, keys[index]]),
      cell,
      benchmark,
    }));
  });
}

/**
 * Time per operation, in the order taken: milliseconds, or millions of instructions. The share that the machine waited
 * for the host is subtracted from times if all compared runs recorded it: other work of the host is not a property of
 * the code. All samples of a measurement are shortened by the same share, so only their mean is right; single samples
 * remain as uneven as they were.
 */
export function perOperation(benchmark: Benchmark, subtractWaiting: boolean): number[] {
  const share = subtractWaiting && benchmark.clock !== 'instructions' ? 1 - (benchmark.waited ?? 0) : 1;
  return benchmark.samplesMs.map((ms) => (ms * share) / benchmark.operations);
}

/**
 * The single figure of a measurement when runs are compared instead of samples: the median, or the mean if waiting was
 * subtracted, which is right only for the mean.
 */
export function figureOf(benchmark: Benchmark, subtractWaiting: boolean): number {
  const each = perOperation(benchmark, subtractWaiting).sort((a, b) => a - b);
  if (subtractWaiting && benchmark.clock !== 'instructions') return each.reduce((sum, ms) => sum + ms, 0) / each.length;
  return (each[(each.length - 1) >> 1]! + each[each.length >> 1]!) / 2;
}

/** Whether waiting can be subtracted from both. */
export function waitingIsKnown(benchmarks: readonly Benchmark[]): boolean {
  return benchmarks.every(({ waited }) => waited !== undefined && waited < 1);
}

/** Whether a cell finished measuring, so that a benchmark without a figure does not exist in it. */
export function hasMeasured({ steps }: Pick<CellResult, 'steps'>): boolean {
  return steps.some(({ step, verdict }) => step === 'benchmarks' && verdict === 'passed');
}

/** Why two measurements say nothing about the code between them, or undefined. */
export function obstacle(
  old: Measured,
  fresh: Measured,
  base: Pick<RunResult, 'host'>,
  next: Pick<RunResult, 'host'>,
): string | undefined {
  const few = [old, fresh].find(({ benchmark }) => benchmark.samplesMs.length < MIN_SAMPLES);
  if (few)
    return `${few === old ? 'the base' : 'the new run'} has ${few.benchmark.samplesMs.length} samples, and it takes ${MIN_SAMPLES}`;
  if ([...old.benchmark.samplesMs, ...fresh.benchmark.samplesMs].some((ms) => !Number.isFinite(ms)))
    return 'a sample is no number';
  if (old.benchmark.clock !== fresh.benchmark.clock)
    return `it was timed by the ${old.benchmark.clock}, and is by the ${fresh.benchmark.clock}`;
  if (old.benchmark.per !== fresh.benchmark.per)
    return `an operation was ${unitOf(old.benchmark)}, and is ${unitOf(fresh.benchmark)}`;
  if (old.benchmark.operations !== fresh.benchmark.operations) return 'a sample has another number of operations now';
  const [was, is] = [old.cell.facts, fresh.cell.facts];
  if (!was || !is) return 'it is not known what it ran on';
  const differs = (what: string, a: unknown, b: unknown) => (a === b ? undefined : `${what} was ${a}, and is ${b}`);
  return (
    differs('the accelerator', was.accelerator, is.accelerator) ??
    differs('the processor', was.cpu, is.cpu) ??
    differs('the number of vCPUs', was.vcpus, is.vcpus) ??
    differs('the emulator', was.emulator, is.emulator) ??
    // Older runs do not record it; then there was only one release.
    (was.release && is.release ? differs('the Debian release', was.release, is.release) : undefined) ??
    differs("the host's processor", base.host.cpu, next.host.cpu)
  );
}

function unitOf({ per }: Benchmark): string {
  return per === undefined ? 'not named' : `"${per}"`;
}
