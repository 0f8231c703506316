import { join } from 'node:path';
import type { Retries } from '../../config/retries.ts';
import type { Matrix } from '../../config/suite.ts';
import type { TestSelection } from '../../events/test-selection.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { SourceTree } from '../../source/tree.ts';
import type { Providers } from '../../targets/providers.ts';
import type { Bail } from '../schedule/bail.ts';
import type { OpenRun } from '../schedule/open-run.ts';
import type { Pause } from '../schedule/pause.ts';
import type { QuietLock, Slots } from '../schedule/quiet.ts';
import type { ConsoleFile } from '../suite/console-lines.ts';
import type { RunSuite } from '../suite/suite-process.ts';
import type { CommonSettings } from './image.ts';
import { nodeFolder, type StartedCell } from './start-cell.ts';

/** What a run was asked to do, beside its cells. */
export interface RunChoices {
  /** Leave the machine of a cell that failed where it is. */
  readonly keep: boolean;
  readonly bench: boolean;
  /** The tests to run, by the name of their cell; a cell that is not in it runs all of its suite's. */
  readonly tests?: ReadonlyMap<string, TestSelection> | undefined;
  /** Failures after which the run ends; absent: it never does. */
  readonly bail?: number | undefined;
  /** How often each test runs, whatever it comes to; absent: once. */
  readonly repeat?: number | undefined;
  /** Neither use nor make snapshots. */
  readonly cold: boolean;
  /** Do not ask of failed tests whose fault it is. */
  readonly control?: false | undefined;
  /** A test before which the suite stops, as somebody named it. */
  readonly stopAt?: string | undefined;
  /** How often failures are tried again, in place of what the matrix and its suites say. */
  readonly retries?: Partial<Retries> | undefined;
}

/** What lets the cells of a run work beside each other. */
export interface Schedule {
  readonly builders: Slots;
  readonly guests: Slots;
  /** How many places among the guests a cell takes. */
  readonly placesOf: (cell: Cell) => number;
  readonly quiet: QuietLock;
}

/** What all cells of a run share. */
export interface RunContext {
  /** Its folder, its events and its lease. */
  readonly open: OpenRun;
  readonly matrix: Matrix;
  readonly settings: CommonSettings;
  readonly providers: Providers;
  readonly choices: RunChoices;
  readonly schedule: Schedule;
  /** The sources that are copied to machines, by the name of the suite. */
  readonly sources: ReadonlyMap<string, SourceTree>;
  /** Runs the files of a suite on machines that are there. */
  readonly runSuite: RunSuite;
  readonly progress: (cell: string, message: string) => void;
  /** A line that a command on a cell's machine printed; it is in the cell's folder already. */
  readonly output: (cell: string, line: string) => void;
  /** Ends it after some failures. */
  readonly bail: Bail;
  /** Stops it at the first failure, for a person. */
  readonly pause: Pause;
  /** Aborted when the run is interrupted, or its time is up; the reason is an Error. */
  readonly signal: AbortSignal;
}

/** A cell on its way through a run. */
export interface CellContext {
  readonly cell: Cell;
  readonly run: RunContext;
  /** The cell's folder in the run, absolute. */
  readonly folder: string;
  /** Aborted when the run's is, when the cell's time is up, or when what the cell does has become pointless. */
  readonly signal: AbortSignal;
}

export function cellContext(cell: Cell, run: RunContext): CellContext {
  const signal = AbortSignal.any([run.signal, run.bail.signalFor(cell.name)]);
  return { cell, run, folder: cellFolder(run.open.folder, cell.name), signal };
}

/** The folder of a cell in its run; `+` and `/` of the name are the folders' own. */
export function cellFolder(runFolder: string, cell: string): string {
  return join(runFolder, 'cells', ...cell.split('/'));
}

/** A cell whose machines are there. */
export interface OnTarget {
  readonly context: CellContext;
  readonly started: StartedCell;
  /** Aborted when the cell's is, or when one of its machines died. */
  readonly signal: AbortSignal;
}

/** The context of what is pointless once a machine has died. */
export function whileAlive({ context, signal }: OnTarget): CellContext {
  return { ...context, signal };
}

/** Tells people something that does not stop the cell. */
export function warn({ cell, run }: CellContext, message: string): void {
  // Whoever needs an event to be written finds out by its own.
  run.open.emit({ type: 'log', cell: cell.name, level: 'warn', message }).catch(() => {});
}

/** The same, where nothing is wrong. */
export function say({ cell, run }: CellContext, message: string): void {
  void run.open.emit({ type: 'log', cell: cell.name, level: 'info', message });
}

/** Resolves when the first of a cell's machines dies by itself. */
export function anyDeath({ nodes }: StartedCell): Promise<Error> {
  return Promise.race(nodes.map(({ target }) => target.died));
}

/** Where the consoles of a cell's machines are: every kind of target keeps one in the machine's folder. */
export function consolesOf({ context: { cell, folder }, started: { nodes } }: OnTarget): ConsoleFile[] {
  return nodes.map(({ name }) => ({
    file: join(nodeFolder(cell, folder, name), 'console.log'),
    prefix: nodes.length > 1 ? `${name}: ` : '',
  }));
}
