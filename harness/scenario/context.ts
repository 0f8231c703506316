import { relative, sep } from 'node:path';
import type { Suite } from '../config/suite.ts';
import type { TestSelection } from '../events/test-selection.ts';
import type { Handle } from '../targets/target.ts';

/** What a suite's process is told about its cell. Plain JSON: it crosses two process boundaries. */
export interface ScenarioContext {
  readonly cell: string;
  /** The cell's machines, one or those of a cluster; the first is what `target` means. */
  readonly nodes: readonly ContextNode[];
  /** Where the harness is asked to put machines back, or to start one that counts instructions. */
  readonly controlSocket: string;
  /** Where the cluster's network is changed. */
  readonly lanSocket?: string;
  readonly suite: Suite;
  /** How many times slower than this host the target is. */
  readonly scale: number;
  /** Which files to run. */
  readonly step: 'scenarios' | 'benchmarks';
  /** Which tests to run; absent: all. */
  readonly tests?: TestSelection;
  /** Whether the harness is to be asked at a failure before anything that comes behind it. */
  readonly pause?: true;
  /** A test before which the harness is asked to go on: a name, or a pattern as `--test` has it. */
  readonly stopAt?: string;
  /** How often each test runs, whatever it comes to; absent: once. */
  readonly repeat?: number;
  /** Where vitest may keep what it makes. */
  readonly cacheFolder: string;
  /** Where each test says, before it goes on, that it has begun: a test that spins can say nothing later. */
  readonly journal: string;
  /** How often a test that failed is tried again. */
  readonly retries: number;
  /** Milliseconds for one test, scaled. */
  readonly testTimeoutMs: number;
}

/** How a file of a suite is named: relative to the suite's folder, with `/`. */
export function fileInSuite({ folder }: Pick<Suite, 'folder'>, path: string): string {
  return relative(folder, path).split(sep).join('/');
}

/** A machine of a cell, for another process. */
export interface ContextNode {
  readonly name: string;
  readonly handle: Handle;
  /** In the cluster's network. */
  readonly address?: string;
}

/** The endings of a suite's files. */
export const SUITE_FILES = { scenarios: '**/*.scenario.ts', benchmarks: '**/*.bench.ts' } as const;

declare module 'vitest' {
  interface ProvidedContext {
    harness: ScenarioContext;
  }
}
