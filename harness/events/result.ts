import type { ArchName } from '../arch/index.ts';
import type {
  CellLog,
  ControlFinished,
  ErrorData,
  FileOutput,
  HostFacts,
  Measurement,
  Origin,
  PackageVersions,
  Phase,
  PlannedCell,
  QuarantineEntry,
  Selection,
  StepName,
  TargetFacts,
  TestFinished,
  Verdict,
} from './types.ts';

/**
 * The result of a failed test on the control architecture with the same kind of target, and of re-running it where it
 * failed.
 */
export type ControlComparison =
  /** It fails there too: the architecture is not the cause. */
  | 'fails-on-control'
  /** It passes there but never passed here: the architecture or its emulator is the cause. */
  | 'passes-on-control'
  /** It passed when re-run where it had failed: chance. */
  | 'passes-here-now'
  /** The machine died during the re-run: the emulator or the infrastructure is the cause. */
  | 'machine-died'
  /** There is no result on the control architecture. */
  | 'control-unknown';

/** A re-run of a failed test, after everything else. */
export type ControlTry = Omit<ControlFinished, 'type' | 'cell' | 'file' | 'name' | 'nth'>;

/** The state of a quarantine entry. */
export interface Quarantine extends Pick<QuarantineEntry, 'link' | 'owner' | 'expires' | 'where'> {
  /** `active`: it does not vote; `expired`: it votes again. */
  readonly state: 'active' | 'expired';
  /** Days until it votes again, from the run's own day; 0: today is the last. Negative: days since it expired. */
  readonly daysLeft: number;
  /** Runs in a row that passed, this one included. */
  readonly passes: number;
  /** It has passed often enough to be removed. */
  readonly ready?: true;
}

export interface StepResult {
  readonly step: StepName;
  readonly verdict: Verdict;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly phases: readonly Phase[];
  readonly error?: ErrorData;
  readonly note?: string;
}

export interface TestResult extends Omit<TestFinished, 'type' | 'cell' | 'verdict'> {
  /** `incomplete`: planned but never finished; it has no attempts. */
  readonly verdict: TestFinished['verdict'] | 'incomplete';
  readonly startedAt?: string;
  /** Only on failed tests of cells that are not on the control architecture. */
  readonly control?: ControlComparison;
  /** The re-runs behind the comparison, if the run itself did not have all results. */
  readonly controlTries?: readonly ControlTry[];
  /** An entry of the quarantine is about this very test. */
  readonly quarantine?: Quarantine;
}

/** An earlier attempt of a cell, whose machine failed. */
export interface CellAttempt {
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly startedAt?: string;
  readonly durationMs: number;
  readonly facts?: TargetFacts;
  readonly steps: readonly StepResult[];
  readonly tests: readonly TestResult[];
  readonly logs: readonly Omit<CellLog, 'type' | 'cell'>[];
  /** Its console and other kept files, relative to the run's folder. */
  readonly artifacts: readonly string[];
}

export interface CellResult extends PlannedCell {
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly startedAt?: string;
  readonly durationMs: number;
  readonly facts?: TargetFacts;
  readonly nodes?: Readonly<Record<string, TargetFacts>>;
  /** Of each architecture of its machines. */
  readonly packages?: Readonly<Record<string, PackageVersions>>;
  readonly scale?: { readonly factor: number; readonly source: string };
  readonly steps: readonly StepResult[];
  readonly tests: readonly TestResult[];
  readonly benchmarks: readonly (Measurement & { readonly file: string; readonly test?: string })[];
  readonly logs: readonly Omit<CellLog, 'type' | 'cell'>[];
  readonly enter?: string;
  readonly artifacts: readonly string[];
  /** Output and commands of hooks after the last test of their file. */
  readonly fileOutputs?: readonly Omit<FileOutput, 'type' | 'cell'>[];
  /** Earlier attempts, oldest first; the other fields are about the last. Absent: there was one. */
  readonly earlier?: readonly CellAttempt[];
  /** The whole cell is in quarantine. */
  readonly quarantine?: Quarantine;
  /** Everything that failed is in quarantine, so the cell does not vote although it otherwise would. */
  readonly excused?: true;
}

export interface Counts {
  readonly planned: number;
  readonly passed: number;
  readonly failed: number;
  readonly flaky: number;
  readonly skipped: number;
  readonly infra: number;
  /** Planned and never finished. */
  readonly neverRan: number;
}

/** Everything that the reports show, folded from the events. */
export interface RunResult {
  readonly run: string;
  readonly harness: string;
  readonly matrix: { readonly name: string; readonly file?: string };
  readonly control: ArchName;
  readonly host: HostFacts;
  readonly git?: { readonly sha: string; readonly dirty: boolean };
  readonly origin?: Origin;
  readonly selection?: Selection;
  readonly jobs: number;
  readonly jobsReason: string;
  /** Remarks on the run as a whole: missing parts, an unknown commit. */
  readonly warnings?: readonly string[];
  readonly startedAt: string;
  readonly durationMs: number;
  /** `incomplete`: the stream ends without `run.finished`, or cells never finished. */
  readonly state: 'passed' | 'failed' | 'infra' | 'incomplete' | 'interrupted';
  readonly exitCode: number;
  readonly cells: readonly CellResult[];
  readonly counts: Counts;
  /** The project's quarantine; absent: none. */
  readonly quarantine?: readonly QuarantineEntry[];
  /** The cost of re-running failed tests; absent: none were. */
  readonly controlCost?: { readonly tries: number; readonly durationMs: number };
}
