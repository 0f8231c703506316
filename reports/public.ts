/** `multiarch-harness/results`: the types of a run's files, for programs that read them. */
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
  /** Any event, without the fields common to all. */
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
/** The content of results.json: a {@link RunResult}, and comparisons of benchmarks. */
export type { Results } from './results-schema.ts';
