import { type ArchName, archNames, type CellArch } from '../arch/index.ts';
import type { CellResult } from '../events/result.ts';
import { type Accelerator, type BenchClock, isEmulated } from '../events/types.ts';
import { benchmarkKeys } from './measured.ts';
import { type Interval, ratioOfMedians, type Summary, summarize, throughput } from './statistics.ts';

/** How one figure compares with the control architecture's. */
export type ToControl =
  | { readonly state: 'control' }
  /** `ratio` is of times: 2 means twice as long. `words` says what the ratio does not mean, if that needs saying. */
  | { readonly state: 'compared'; readonly ratio: number; readonly interval?: Interval; readonly words?: string }
  | { readonly state: 'not-comparable'; readonly reason: string };

/** A benchmark's result on one architecture. */
export interface BenchmarkResult {
  readonly cell: string;
  readonly arch: CellArch;
  /** Absent when the cell never said what its target is. */
  readonly accelerator?: Accelerator;
  /** Milliseconds per operation. */
  readonly summary: Summary;
  /** Operations per second, if the benchmark names its operation. */
  readonly throughput?: number;
  readonly toControl: ToControl;
  readonly warnings: readonly string[];
}

/** One benchmark across architectures, on one kind of target. */
export interface BenchmarkComparison {
  readonly suite: string;
  readonly target: string;
  /** Only if the matrix has several releases. */
  readonly release?: string;
  readonly file: string;
  readonly name: string;
  readonly clock: BenchClock;
  /** What an operation is, singular; absent: reported as time. */
  readonly per?: string;
  /** One per architecture, the control architecture first. */
  readonly results: readonly BenchmarkResult[];
}

type Benchmark = CellResult['benchmarks'][number];
interface Measured {
  readonly cell: CellResult;
  /** The same in each cell that has it. */
  readonly key: string;
  readonly benchmark: Benchmark;
  readonly perOperation: readonly number[];
}

/**
 * Every benchmark × architecture, each with its ratio to the control architecture on the same kind of target and
 * release. A native and an emulated figure are never divided by each other. Benchmarks without samples are left out.
 */
export function compareToControl(cells: readonly CellResult[], control: ArchName): BenchmarkComparison[] {
  const groups = Map.groupBy(cells.flatMap(measuredIn), ({ cell, key }) =>
    JSON.stringify([cell.suite, cell.target, cell.release, key]),
  );
  return [...groups.values()].map((group) => {
    const ordered = group.toSorted((a, b) => rank(a.cell.arch, control) - rank(b.cell.arch, control));
    const { cell, benchmark } = ordered[0]!;
    const base = ordered.find((measured) => measured.cell.arch === control);
    return {
      suite: cell.suite,
      target: cell.target,
      ...(cell.release === undefined ? {} : { release: cell.release }),
      file: benchmark.file,
      name: benchmark.name,
      clock: benchmark.clock,
      ...(benchmark.per === undefined ? {} : { per: benchmark.per }),
      results: ordered.map((measured) => resultOf(measured, base, control)),
    };
  });
}

function measuredIn(cell: CellResult): Measured[] {
  const keys = benchmarkKeys(cell.benchmarks);
  return cell.benchmarks
    .map((benchmark, index) => ({ benchmark, key: keys[index]! }))
    .filter(({ benchmark }) => benchmark.samplesMs.length > 0)
    .map(({ benchmark, key }) => ({
      cell,
      key,
      benchmark,
      perOperation: benchmark.samplesMs.map((ms) => ms / benchmark.operations),
    }));
}

/** The control architecture first, clusters of several last. */
function rank(arch: CellArch, control: ArchName): number {
  const place = (archNames as readonly CellArch[]).indexOf(arch);
  return arch === control ? -1 : place === -1 ? archNames.length : place;
}

function resultOf(measured: Measured, base: Measured | undefined, control: ArchName): BenchmarkResult {
  const { cell, benchmark, perOperation } = measured;
  const summary = summarize(perOperation, seedOf(measured));
  return {
    cell: cell.name,
    arch: cell.arch,
    ...(cell.facts ? { accelerator: cell.facts.accelerator } : {}),
    summary,
    ...(benchmark.per !== undefined && benchmark.clock !== 'instructions' && summary.median > 0
      ? { throughput: throughput(summary.median, 1) }
      : {}),
    toControl: cell.arch === control ? { state: 'control' } : toControl(measured, base, control),
    warnings: benchmark.warnings,
  };
}

function toControl(measured: Measured, base: Measured | undefined, control: ArchName): ToControl {
  const reason = base ? obstacle(measured, base) : `${control} has no figure for it`;
  if (reason !== undefined || !base) return { state: 'not-comparable', reason: reason ?? '' };
  const compared = ratioOfMedians(measured.perOperation, base.perOperation, `${seedOf(measured)} / ${seedOf(base)}`);
  if (!compared) return { state: 'not-comparable', reason: `the median on ${control} is 0: the clock is too coarse` };
  const emulated = isEmulated(measured.cell.facts!.accelerator);
  return {
    state: 'compared',
    ...compared,
    ...(emulated ? { words: 'both are emulated, so this compares emulators and not processors' } : {}),
  };
}

/** Why the two may not be divided, or undefined. */
function obstacle(measured: Measured, base: Measured): string | undefined {
  const [here, there] = [measured.cell.facts?.accelerator, base.cell.facts?.accelerator];
  if (measured.benchmark.clock === 'instructions' && base.benchmark.clock === 'instructions')
    return 'counts of instructions: those of one architecture are neither more nor less than those of another';
  if (!here || !there) return `the accelerator of ${here ? base.cell.name : measured.cell.name} is not known`;
  if (isEmulated(here) !== isEmulated(there)) {
    return `${measured.cell.arch} ran under ${here} and ${base.cell.arch} under ${there}: emulated and native times are not divided`;
  }
  if (here !== there && isEmulated(here)) return `${here} and ${there} are different ways to emulate`;
  if (measured.benchmark.per !== base.benchmark.per) return `its operation is not that on ${base.cell.arch}`;
  if (measured.benchmark.clock !== base.benchmark.clock) {
    return `it was timed by the ${measured.benchmark.clock}, on ${base.cell.arch} by the ${base.benchmark.clock}`;
  }
  return undefined;
}

function seedOf({ cell, benchmark }: Measured): string {
  return `${cell.name} ${benchmark.file} ${benchmark.name}`;
}
