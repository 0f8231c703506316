import type {
  BenchmarkFinished,
  ErrorData,
  FileOutput,
  TestFinished,
  TestStarted,
  TestsPlanned,
} from '../events/types.ts';
import type { ScenarioContext } from './context.ts';

/** The run's message to a suite's process: once, at its start. */
export interface SuiteOrder {
  readonly context: ScenarioContext;
  /** The module that suites import under the package's name. */
  readonly scenarioModule: string;
  /** The module that runs their tests. */
  readonly runnerModule: string;
}

/** The messages of a suite's process, sent as things happen. */
export type SuiteReport =
  | {
      readonly type: 'event';
      readonly event: TestsPlanned | TestStarted | TestFinished | BenchmarkFinished | FileOutput;
    }
  /** Progress: a hook, another attempt. */
  | { readonly type: 'alive' }
  /** `problems`: errors outside of tests. `left`: tests, or files, that were not selected. */
  | {
      readonly type: 'done';
      readonly files: number;
      readonly problems: readonly ErrorData[];
      readonly left: readonly string[];
    };
