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

/** Options of a run that apply to all of its cells. */
export interface RunChoices {
  /** Keep the machine of a failed cell running. */
  readonly keep: boolean;
  readonly bench: boolean;
  /** The tests to run, by cell name; a cell without an entry runs its whole suite. */
  readonly tests?: ReadonlyMap<string, TestSelection> | undefined;
  /** Number of failures after which the run ends; absent: no limit. */
  readonly bail?: number | undefined;
  /** How often each test runs, whatever its result; absent: once. */
  readonly repeat?: number | undefined;
  /** Neither use nor save snapshots. */
  readonly cold: boolean;
  /** Do not run failed tests again to find out whose fault they are. */
  readonly control?: false | undefined;
  /** A test before which the suite stops, as the user named it. */
  readonly stopAt?: string | undefined;
  /** How often failures are retried; overrides the matrix and its suites. */
  readonly retries?: Partial<Retries> | undefined;
}

/** What coordinates cells that run at the same time. */
export interface Schedule {
  readonly builders: Slots;
  readonly guests: Slots;
  /** How many guest slots a cell takes. */
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
  /** The sources that are copied to machines, by suite name. */
  readonly sources: ReadonlyMap<string, SourceTree>;
  /** Runs the files of a suite on acquired machines. */
  readonly runSuite: RunSuite;
  readonly progress: (cell: string, message: string) => void;
  /** Called with each line that a command on a cell's machine prints; the line is already in the cell's folder. */
  readonly output: (cell: string, line: string) => void;
  /** Ends the run after some failures. */
  readonly bail: Bail;
  /** Pauses the run at the first failure so that a person can look. */
  readonly pause: Pause;
  /** Aborted when the run is interrupted, or its time is up; the reason is an Error. */
  readonly signal: AbortSignal;
}

/** A cell that is being run. */
export interface CellContext {
  readonly cell: Cell;
  readonly run: RunContext;
  /** The cell's folder in the run, absolute. */
  readonly folder: string;
  /** Aborted with the run's signal, when the cell's time is up, or when the cell's work has become pointless. */
  readonly signal: AbortSignal;
}

export function cellContext(cell: Cell, run: RunContext): CellContext {
  const signal = AbortSignal.any([run.signal, run.bail.signalFor(cell.name)]);
  return { cell, run, folder: cellFolder(run.open.folder, cell.name), signal };
}

/** The folder of a cell in its run; `+` and `/` in its name are kept, so `/` makes subfolders. */
export function cellFolder(runFolder: string, cell: string): string {
  return join(runFolder, 'cells', ...cell.split('/'));
}

/** A cell whose machines have been acquired. */
export interface OnTarget {
  readonly context: CellContext;
  readonly started: StartedCell;
  /** Aborted with the cell's signal, or when one of its machines died. */
  readonly signal: AbortSignal;
}

/** A context for work that is pointless once a machine has died. */
export function whileAlive({ context, signal }: OnTarget): CellContext {
  return { ...context, signal };
}

/** Writes a warning that does not stop the cell. */
export function warn({ cell, run }: CellContext, message: string): void {
  // A failure to write events is noticed by the next event that matters.
  run.open.emit({ type: 'log', cell: cell.name, level: 'warn', message }).catch(() => {});
}

/** The same for a note: nothing is wrong. */
export function say({ cell, run }: CellContext, message: string): void {
  void run.open.emit({ type: 'log', cell: cell.name, level: 'info', message });
}

/** Resolves when the first of a cell's machines dies on its own. */
export function firstDeath({ nodes, blanks }: StartedCell): Promise<Error> {
  return Promise.race([...nodes.map(({ target }) => target), ...(blanks?.machines ?? [])].map(({ died }) => died));
}

/** The console logs of a cell's machines: every kind of target keeps one in the machine's folder. */
export function consolesOf({ context: { cell, folder }, started: { nodes, blanks } }: OnTarget): ConsoleFile[] {
  const all = [...nodes, ...(blanks?.machines ?? [])];
  return all.map(({ name }) => ({
    file: join(nodeFolder(cell, folder, name), 'console.log'),
    prefix: all.length > 1 ? `${name}: ` : '',
  }));
}
