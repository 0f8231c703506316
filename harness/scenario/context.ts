import { relative, sep } from 'node:path';
import type { ArchName } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';
import type { TestSelection } from '../events/test-selection.ts';
import type { Handle } from '../targets/target.ts';

/** The context of a suite's process. Plain JSON: it crosses two process boundaries. */
export interface ScenarioContext {
  readonly cell: string;
  /** The cell's machines, one or those of a cluster; the first is `target`. */
  readonly nodes: readonly ContextNode[];
  /** Socket for asking the harness to reset machines, or to start one that counts instructions. */
  readonly controlSocket: string;
  /** Socket for changing the cluster's network. */
  readonly lanSocket?: string;
  /** The cluster's blank machines, and the socket where they are switched. */
  readonly blanks?: {
    readonly socket: string;
    readonly machines: readonly ContextBlank[];
    readonly bmc: { readonly url: string; readonly user: string; readonly password: string };
  };
  readonly suite: Suite;
  /** How many times slower than this host the target is. */
  readonly scale: number;
  /** Which files to run. */
  readonly step: 'scenarios' | 'benchmarks';
  /** Which tests to run; absent: all. */
  readonly tests?: TestSelection;
  /** Whether to ask the harness at a failure, before anything else runs. */
  readonly pause?: true;
  /** A test before which to ask the harness: a name, or a pattern as for `--test`. */
  readonly stopAt?: string;
  /** How often each test runs, regardless of results; absent: once. */
  readonly repeat?: number;
  /** Folder for vitest's cache. */
  readonly cacheFolder: string;
  /** File in which each test records its start, because a test that spins can report nothing later. */
  readonly journal: string;
  /** How often a failed test is retried. */
  readonly retries: number;
  /** Milliseconds for one test, scaled. */
  readonly testTimeoutMs: number;
}

/** Name of a suite's file: relative to the suite's folder, with `/`. */
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

/** A blank machine of a cell, for another process. */
export interface ContextBlank {
  readonly name: string;
  readonly arch: ArchName;
  readonly mac: string;
}

/** The extensions of a suite's files. */
export const SUITE_FILES = { scenarios: '**/*.scenario.ts', benchmarks: '**/*.bench.ts' } as const;

declare module 'vitest' {
  interface ProvidedContext {
    harness: ScenarioContext;
  }
}
