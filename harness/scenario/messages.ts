import type {
  BenchmarkFinished,
  ErrorData,
  FileOutput,
  TestFinished,
  TestStarted,
  TestsPlanned,
} from '../events/types.ts';
import type { ScenarioContext } from './context.ts';

/** What the run sends to a suite's process: once, at its start. */
export interface SuiteOrder {
  readonly context: ScenarioContext;
  /** The module that suites import under the package's name. */
  readonly scenarioModule: string;
  /** The module that runs their tests. */
  readonly runnerModule: string;
}

/** What a suite's process sends back, as things happen. */
export type SuiteReport =
  | {
      readonly type: 'event';
      readonly event: TestsPlanned | TestStarted | TestFinished | BenchmarkFinished | FileOutput;
    }
  /** Something goes on: a hook, another attempt. */
  | { readonly type: 'alive' }
  /** `problems`: what went wrong outside of tests. `left`: the names of tests, or of files, that were not chosen. */
  | {
      readonly type: 'done';
      readonly files: number;
      readonly problems: readonly ErrorData[];
      readonly left: readonly string[];
    };
