import type { CellArch } from '../arch/index.ts';
import { benchmarkLabels } from '../bench/measured.ts';
import { summarize } from '../bench/statistics.ts';
import { labelOf } from '../events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../events/result.ts';
import type { Accelerator, BenchClock, Origin, QuarantineEntry, StepName, Verdict } from '../events/types.ts';
import { passedIn } from './passes.ts';

/**
 * Version of {@link Night}. A history's index holds the result of {@link nightOf} for each run, and is rebuilt when
 * this differs.
 */
export const NIGHT_VERSION = 5;

/** The summary of a run in the history's index: verdicts, durations, and a few figures of each benchmark. Plain JSON. */
export interface Night {
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly matrix: string;
  readonly git?: { readonly sha: string; readonly dirty: boolean };
  readonly origin?: Origin;
  readonly state: RunResult['state'];
  readonly exitCode: number;
  readonly durationMs: number;
  /** How many were planned. */
  readonly tests: number;
  readonly cells: readonly NightCell[];
  /** Entries of the quarantine; absent: none. */
  readonly quarantine?: readonly NightQuarantine[];
}

/** Something in quarantine in a night. */
export interface NightQuarantine extends Omit<QuarantineEntry, 'where' | 'passedBefore'> {
  /** Runs in a row that passed, this one included. */
  readonly passes: number;
}

export interface NightCell {
  readonly name: string;
  readonly arch: CellArch;
  readonly target: string;
  readonly suite: string;
  readonly voting: boolean;
  readonly verdict: Verdict;
  readonly reason?: string;
  /** Everything that failed in it is in quarantine: it does not vote. */
  readonly excused?: true;
  /** ISO 8601, UTC; absent: it never began. */
  readonly startedAt?: string;
  readonly durationMs: number;
  readonly steps: readonly { readonly step: StepName; readonly durationMs: number }[];
  /** Tests that did not simply pass. */
  readonly tests: readonly NightTest[];
  readonly accelerator?: Accelerator;
  readonly figures: readonly Figure[];
}

/** A test that did not simply pass. */
export interface NightTest {
  readonly file: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** It is in quarantine, not expired. */
  readonly excused?: true;
  /** The first line of its last message, cut; absent: it had none. */
  readonly error?: string;
}

/** Characters of an error that are kept. */
const MOST_OF_ERROR = 200;

/** One benchmark of one night. */
export interface Figure {
  readonly file: string;
  readonly name: string;
  readonly clock: BenchClock;
  readonly per?: string;
  /**
   * The machine in words; figures of another one start a new series. Processor, vCPUs, emulator and Debian release; for
   * times also the host's processor, which does not matter to a count of instructions.
   */
  readonly machine: string;
  /** Operations per sample: figures with another number start a new series too. */
  readonly operations: number;
  /** Milliseconds, or millions of instructions, per operation; absent if there is a `problem`. */
  readonly median?: number;
  /** The 95 % interval of the median, if there were enough samples. */
  readonly interval?: readonly [low: number, high: number];
  /** Why there is no figure. */
  readonly problem?: string;
}

/** The summary of a run. It contains nothing that is not in the run's events. */
export function nightOf(run: RunResult): Night {
  return {
    run: run.run,
    startedAt: run.startedAt,
    matrix: run.matrix.name,
    ...(run.git ? { git: run.git } : {}),
    ...(run.origin ? { origin: run.origin } : {}),
    state: run.state,
    exitCode: run.exitCode,
    durationMs: run.durationMs,
    tests: run.counts.planned,
    cells: run.cells.map((cell) => cellOf(cell, run)),
    ...(run.quarantine ? { quarantine: run.quarantine.map((entry) => quarantineOf(entry, run)) } : {}),
  };
}

function quarantineOf(entry: QuarantineEntry, run: RunResult): NightQuarantine {
  const { where: _where, passedBefore, ...about } = entry;
  const passed = passedIn(run, entry);
  return { ...about, passes: passed === false ? 0 : passedBefore + (passed ? 1 : 0) };
}

function cellOf(cell: CellResult, run: RunResult): NightCell {
  const { name, arch, target, suite, voting, verdict, reason, startedAt, durationMs, facts } = cell;
  const labels = benchmarkLabels(cell.benchmarks);
  return {
    name,
    arch,
    target,
    suite,
    voting,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(cell.excused ? { excused: true } : {}),
    ...(startedAt === undefined ? {} : { startedAt }),
    durationMs,
    steps: cell.steps.map(({ step, durationMs }) => ({ step, durationMs })),
    tests: cell.tests.flatMap((test) =>
      test.verdict === 'passed' || test.verdict === 'skipped'
        ? []
        : [
            {
              ...{ file: test.file, name: labelOf(test), verdict: test.verdict, ...errorOf(test) },
              ...((test.quarantine ?? cell.quarantine)?.state === 'active' ? { excused: true } : {}),
            },
          ],
    ),
    ...(facts ? { accelerator: facts.accelerator } : {}),
    figures: cell.benchmarks.map((benchmark, index) => figureOf({ ...benchmark, name: labels[index]! }, cell, run)),
  };
}

function errorOf({ attempts }: TestResult): Pick<NightTest, 'error'> {
  const message = attempts
    .flatMap(({ errors }) => errors)
    .at(-1)
    ?.message.trim();
  const [line = ''] = message?.split('\n') ?? [];
  return line === '' ? {} : { error: line.slice(0, MOST_OF_ERROR).toWellFormed() };
}

function figureOf(
  benchmark: CellResult['benchmarks'][number],
  { name: cell, facts }: CellResult,
  run: RunResult,
): Figure {
  const { file, name, clock, per, operations } = benchmark;
  const machine = [
    facts?.cpu ?? 'unknown processor',
    `${facts?.vcpus ?? '?'} vCPU`,
    facts?.emulator,
    // Older figures do not record it, and are of bookworm; today's figures of bookworm continue them.
    ...(facts?.release && facts.release !== 'bookworm' ? [`Debian ${facts.release}`] : []),
    ...(clock === 'instructions' ? [] : [`on ${run.host.cpu}`]),
  ];
  const figure = {
    file,
    name,
    clock,
    ...(per === undefined ? {} : { per }),
    machine: machine.filter(Boolean).join(', '),
    operations,
  };
  // A file may not match its type: NaN is null in JSON.
  const samples: readonly unknown[] = Array.isArray(benchmark.samplesMs) ? benchmark.samplesMs : [];
  if (samples.length === 0) return { ...figure, problem: 'it has no samples' };
  const each = samples.map((sample) => (typeof sample === 'number' ? sample / operations : Number.NaN));
  if (each.some((value) => !Number.isFinite(value))) return { ...figure, problem: 'a sample is no number' };
  const { median, interval } = summarize(each, `${cell} ${file} ${name}`);
  if (!(median > 0)) return { ...figure, problem: 'its median is 0: the clock is too coarse' };
  return { ...figure, median, ...(interval ? { interval: [interval.low, interval.high] } : {}) };
}
