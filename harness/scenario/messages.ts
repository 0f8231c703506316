import type { BenchmarkFinished, TestFinished, TestStarted, TestsPlanned } from '../events/types.ts';
import type { ScenarioContext } from './context.ts';

/** What the run sends to a suite's process: once, at its start. */
export interface SuiteOrder {
  readonly context: ScenarioContext;
  /** The module that suites import under the package's name. */
  readonly scenarioModule: string;
}

/** What a suite's process sends back, as things happen. */
export type SuiteReport =
  | { readonly type: 'event'; readonly event: TestsPlanned | TestStarted | TestFinished | BenchmarkFinished }
  | { readonly type: 'printed'; readonly text: string }
  | { readonly type: 'done'; readonly files: number; readonly problem?: string };
