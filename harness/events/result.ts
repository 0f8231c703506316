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

/** What a failing test does on the control architecture with the same kind of target, and again where it failed. */
export type ControlComparison =
  /** It fails there too: not about the architecture. */
  | 'fails-on-control'
  /** It passes there, and was not seen to pass here: the architecture's or its emulator's. */
  | 'passes-on-control'
  /** It passed when it was run again where it had failed: chance. */
  | 'passes-here-now'
  /** The machine died when it was run again: the emulator's or the infrastructure's. */
  | 'machine-died'
  /** There is no result of it on the control architecture. */
  | 'control-unknown';

/** One more try of a failed test, behind everything else. */
export type ControlTry = Omit<ControlFinished, 'type' | 'cell' | 'file' | 'name' | 'nth'>;

/** What is said of something in quarantine. */
export interface Quarantine extends Pick<QuarantineEntry, 'link' | 'owner' | 'expires' | 'where'> {
  /** `active`: it does not vote; `expired`: it does again. */
  readonly state: 'active' | 'expired';
  /** Days until it votes again, counted from the run's own day; 0: today is the last. Negative: for how long it has expired. */
  readonly daysLeft: number;
  /** Runs in a row that passed, this one included. */
  readonly passes: number;
  /** It has passed often enough to leave. */
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
  /** The further tries that the comparison is from, where the run itself did not hold all of it. */
  readonly controlTries?: readonly ControlTry[];
  /** It is in quarantine by itself. */
  readonly quarantine?: Quarantine;
}

/** An attempt of a cell that another one followed, because its machine failed. */
export interface CellAttempt {
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly startedAt?: string;
  readonly durationMs: number;
  readonly facts?: TargetFacts;
  readonly steps: readonly StepResult[];
  readonly tests: readonly TestResult[];
  readonly logs: readonly Omit<CellLog, 'type' | 'cell'>[];
  /** Its console and what else was kept, relative to the run's folder. */
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
  /** What hooks printed and ran behind the last test of their file. */
  readonly fileOutputs?: readonly Omit<FileOutput, 'type' | 'cell'>[];
  /** Attempts before the one that all else is of, oldest first; absent: there was one. */
  readonly earlier?: readonly CellAttempt[];
  /** The whole cell is in quarantine. */
  readonly quarantine?: Quarantine;
  /** What failed is in quarantine, so the cell does not vote although it would. */
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
  /** What is to be known of the run as a whole: parts that are missing, a commit that is not known. */
  readonly warnings?: readonly string[];
  readonly startedAt: string;
  readonly durationMs: number;
  /** `incomplete`: the stream ends without `run.finished`, or cells never finished. */
  readonly state: 'passed' | 'failed' | 'infra' | 'incomplete' | 'interrupted';
  readonly exitCode: number;
  readonly cells: readonly CellResult[];
  readonly counts: Counts;
  /** What the project had in quarantine; absent: nothing. */
  readonly quarantine?: readonly QuarantineEntry[];
  /** What trying failed tests again took; absent: nothing was. */
  readonly controlCost?: { readonly tries: number; readonly durationMs: number };
}
