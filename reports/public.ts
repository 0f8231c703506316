/** `multiarch-harness/results`: the types of the files that a run leaves, for programs that read them. */
export type {
  CellResult,
  ControlComparison,
  Counts,
  RunResult,
  StepResult,
  TestResult,
} from '../harness/events/result.ts';
export type {
  Accelerator,
  Attempt,
  BenchClock,
  ErrorData,
  /** Any event, without what is written with all of them. */
  HarnessEvent,
  HostFacts,
  Measurement,
  PackageVersions,
  Phase,
  PlannedCell,
  Selection,
  StepName,
  /** A line of events.jsonl. */
  StoredEvent,
  TargetFacts,
  Verdict,
} from '../harness/events/types.ts';
/** What results.json holds: a {@link RunResult}, and how benchmarks compare. */
export type { Results } from './results-schema.ts';
