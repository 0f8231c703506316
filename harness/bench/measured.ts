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
 * A key for each benchmark of a cell: file and name, and for those that have both alike their test, then their order. Those
 * of other runs and architectures have the same.
 */
export function benchmarkKeys(benchmarks: readonly Pick<Benchmark, 'file' | 'name' | 'test'>[]): string[] {
  return distinctNames(benchmarks, [
    ({ file, name }) => JSON.stringify([file, name]),
    ({ file, name, test }) => JSON.stringify([file, name, test]),
  ]);
}

/** What each benchmark of a cell is called beside its file: its name, or what tells it from others of that name. */
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

/** What a run measured. */
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
 * What each operation took, in the order taken: milliseconds, or millions of instructions. From times, the share for which
 * the machine waited for the host is taken off, when it is known of all that are compared: what other work the host had is
 * no property of the code. All samples of a measurement are shortened by the same share, so that only their mean is right;
 * single ones remain as uneven as they were.
 */
export function perOperation(benchmark: Benchmark, takeOff: boolean): number[] {
  const share = takeOff && benchmark.clock !== 'instructions' ? 1 - (benchmark.waited ?? 0) : 1;
  return benchmark.samplesMs.map((ms) => (ms * share) / benchmark.operations);
}

/**
 * The one figure of a measurement where runs are compared and not samples: their median, or, where waiting was taken off,
 * their mean, for which alone it was right.
 */
export function figureOf(benchmark: Benchmark, takeOff: boolean): number {
  const each = perOperation(benchmark, takeOff).sort((a, b) => a - b);
  if (takeOff && benchmark.clock !== 'instructions') return each.reduce((sum, ms) => sum + ms, 0) / each.length;
  return (each[(each.length - 1) >> 1]! + each[each.length >> 1]!) / 2;
}

/** Whether waiting can be taken off both. */
export function waitingIsKnown(benchmarks: readonly Benchmark[]): boolean {
  return benchmarks.every(({ waited }) => waited !== undefined && waited < 1);
}

/** Whether a cell measured to its end, so that a benchmark of which it has no figure is one that it does not have. */
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
    // Before it was written down there was one release only.
    (was.release && is.release ? differs('the Debian release', was.release, is.release) : undefined) ??
    differs("the host's processor", base.host.cpu, next.host.cpu)
  );
}

function unitOf({ per }: Benchmark): string {
  return per === undefined ? 'not named' : `"${per}"`;
}
