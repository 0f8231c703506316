import { join } from 'node:path';
import type { Matrix } from '../config/suite.ts';
import type { ImageSettings } from '../images/settings.ts';
import type { Cell } from '../matrix/cell.ts';
import type { ChosenTest } from '../scenario/context.ts';
import type { Providers } from '../targets/providers.ts';
import type { Lease } from './lease.ts';
import type { QuietLock, Slots } from './quiet.ts';
import type { StartedCell } from './start-cell.ts';
import type { StepContext } from './step.ts';
import type { RunSuite } from './suite-process.ts';

/** Benchmarks by the name of their cell. */
export type ChosenBenchmarks = ReadonlyMap<string, readonly ChosenTest[]>;

/** What all cells of a run share. */
export interface RunContext extends StepContext {
  readonly matrix: Matrix;
  readonly settings: ImageSettings;
  readonly providers: Providers;
  /** The run's folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  readonly keep: boolean;
  readonly bench: boolean;
  /** The benchmarks to run in each cell, and no scenarios; absent: everything. */
  readonly only?: ChosenBenchmarks | undefined;
  /** Neither use nor make snapshots. */
  readonly cold: boolean;
  readonly builders: Slots;
  readonly guests: Slots;
  /** How many places among the guests a cell takes. */
  readonly placesOf: (cell: Cell) => number;
  readonly quiet: QuietLock;
  /** Runs the files of a suite on machines that are there. */
  readonly runSuite: RunSuite;
}

/** The folder of a cell in its run; `+` and `/` of the name are the folders' own. */
export function cellFolder(runFolder: string, cell: string): string {
  return join(runFolder, 'cells', ...cell.split('/'));
}

/** A cell whose machines are there. */
export interface OnTarget {
  readonly cell: Cell;
  readonly context: RunContext;
  readonly started: StartedCell;
}

/** Tells people something that does not stop the cell. */
export function warner(cell: Cell, context: RunContext): (message: string) => void {
  return (message) => void context.emit({ type: 'log', cell: cell.name, level: 'warn', message });
}

/** Resolves when the first of a cell's machines dies by itself. */
export function anyDeath({ nodes }: StartedCell): Promise<Error> {
  return Promise.race(nodes.map(({ target }) => target.died));
}
