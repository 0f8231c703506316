import type { ArchName } from '../arch/index.ts';
import type {
  CellLog,
  ErrorData,
  HostFacts,
  Measurement,
  Origin,
  PackageVersions,
  Phase,
  PlannedCell,
  Selection,
  StepName,
  TargetFacts,
  TestFinished,
  Verdict,
} from './types.ts';

/** What a failing test does on the control architecture with the same kind of target. */
export type ControlComparison =
  /** It fails there too: not about the architecture. */
  | 'fails-on-control'
  /** It passes there: the architecture's or its emulator's. */
  | 'passes-on-control'
  /** The control cell has no result for it. */
  | 'control-unknown';

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
}
