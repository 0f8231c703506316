import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, InfraError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { formatDuration, some } from '../../base/text.ts';
import type { Matrix } from '../../config/suite.ts';
import { decide } from '../../events/fold.ts';
import type { QuarantineEntry, RunResumed, Selection, StoredEvent } from '../../events/types.ts';
import type { Pins } from '../../images/pins.ts';
import type { Cell } from '../../matrix/cell.ts';
import { nodesOf } from '../../matrix/nodes.ts';
import type { Providers } from '../../targets/providers.ts';
import { runCell } from '../cell/cell.ts';
import { cellFolder, type RunChoices, type RunContext } from '../cell/context.ts';
import { imageSettings } from '../cell/image.ts';
import { sourcesOf } from '../cell/sources.ts';
import { Interrupted } from '../cell/step.ts';
import { runControlLeg } from '../control/leg.ts';
import { type RunSuite, runSuiteProcess } from '../suite/suite-process.ts';
import { bailAfter } from './bail.ts';
import { buildersFor, type Capacity, capacityFor, type HostCapacity, hostCapacity } from './capacity.ts';
import { changesIn, type Inputs, inputsOf } from './inputs.ts';
import { collectGarbage } from './lease.ts';
import { type OpenRun, openRun, reopenRun } from './open-run.ts';
import { limitTime, type Pause, pauseOnce, type WaitForPerson } from './pause.ts';
import { QuietLock, Slots } from './quiet.ts';
import type { GitState } from './repository.ts';
import { startedEvent } from './started.ts';

export interface RunOptions extends RunChoices {
  readonly matrix: Matrix;
  readonly cells: readonly Cell[];
  /** The project's folder; results go to `.harness/runs/` below it. */
  readonly project: string;
  readonly cache: string;
  readonly providers: Providers;
  readonly state: string;
  readonly version: string;
  readonly argv: readonly string[];
  /** Asks a person at the first failure; absent: nobody is asked. */
  readonly onPause?: WaitForPerson | undefined;
  /** A run to go on with: the cells are those of it that have no result. */
  readonly resume?: Resume | undefined;
  /** What the cells were chosen by. */
  readonly selection?: Selection;
  /** What the project has in quarantine. */
  readonly quarantine?: readonly QuarantineEntry[] | undefined;
  /** The clock of its events; absent: this machine's. */
  readonly now?: (() => Date) | undefined;
  readonly jobs?: number | undefined;
  /** Where the run's folder is made; absent: the project's own. */
  readonly runs?: string | undefined;
  /** The run's folder itself, for a part of another run: `latest` does not name it. */
  readonly into?: string | undefined;
  /** The images of a plan; absent: what the packages of today make. */
  readonly pins?: Pins | undefined;
  /** What the project's folder holds, where it is no repository; absent: git is asked. */
  readonly git?: GitState | undefined;
  /** Aborted when the user interrupts. */
  readonly interrupt: AbortSignal;
  readonly onEvent: (event: StoredEvent) => void;
  readonly onProgress: (cell: string, message: string) => void;
  /** A line that a command on a cell's machine printed. */
  readonly onOutput?: (cell: string, line: string) => void;
  /** Runs the files of a suite; absent: a process of its own, with vitest in it. */
  readonly runSuite?: RunSuite;
  /** Renders the reports of a folder that holds the run's events; called when the run has ended, however it did. */
  readonly onEnd: (folder: string) => Promise<void>;
}

/** A run that ended before its cells did. */
export interface Resume {
  /** Its folder, absolute. */
  readonly folder: string;
  /** What it was made of; absent where it does not say. */
  readonly inputs?: Inputs | undefined;
  /** All its cells, as they are now. */
  readonly all: readonly Cell[];
  /** What to do instead, where it cannot be gone on with. */
  readonly hint?: string;
}

export interface RunOutcome {
  readonly run: string;
  readonly folder: string;
  readonly exitCode: number;
}

/** The folder in which a project keeps its runs. */
export function runsFolder(project: string): string {
  return join(project, '.harness', 'runs');
}

/** Runs the cells of a matrix and writes what happens as events, each on disk before it is shown. */
export async function runMatrix(options: RunOptions): Promise<RunOutcome> {
  const { matrix, cells, project } = options;
  const started = performance.now();
  const settings = imageSettings(matrix, options.cache, options.pins);
  const { resume } = options;
  const sources = await sourcesOf(resume?.all ?? cells, {
    settings,
    limitBytes: matrix.limits['source-mib'] * 2 ** 20,
    signal: options.interrupt,
    progress: options.onProgress,
  });
  if (resume) await mustBeUnchanged(resume, options, sources);
  // What runs before this one left behind when they were killed would hold memory that this one counts on.
  await collectGarbage(options.state, { includeKept: false });
  const runs = options.runs ?? runsFolder(project);
  const bail = bailAfter(options.bail, new Set(cells.filter(({ voting }) => voting).map(({ name }) => name)));
  const onEvent = (event: StoredEvent) => {
    bail.event(event);
    options.onEvent(event);
  };
  const open = resume
    ? await reopenRun(resume.folder, options.state, onEvent)
    : await openRun(runs, options.state, onEvent, options.now, options.into);
  const pause = pauseOnce(options.onPause);
  using end = endOfRun(matrix, options.interrupt, pause);
  let exitCode: number;
  try {
    const host = await hostCapacity();
    const capacity = capacityOf(options, host);
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    await open.emit(
      resume ? resumedEvent(options, open, capacity) : await startedEvent(options, open, capacity, sources, warn),
    );
    if (resume) await putAside(open.folder, cells);
    for (const message of warnings) await open.emit({ type: 'log', level: 'warn', message });
    if (options.into === undefined) await pointLatest(runs, open.name);
    for (const message of [...sources.values()].flatMap(({ warnings }) => warnings))
      await open.emit({ type: 'log', level: 'warn', message });
    const context: RunContext = {
      open,
      matrix,
      settings,
      sources,
      providers: options.providers,
      choices: options,
      schedule: {
        builders: new Slots(buildersFor(host)),
        guests: new Slots(capacity.jobs),
        // Who says how many cells means cells, whatever machines they have.
        placesOf: (cell) => (wantedJobs(options) === undefined ? nodesOf(cell).length : 1),
        quiet: new QuietLock(),
      },
      runSuite: options.runSuite ?? runSuiteProcess,
      progress: options.onProgress,
      output: options.onOutput ?? (() => {}),
      bail,
      pause,
      signal: end.signal,
    };
    // A cell has an end of its own whatever happens to it. One throws only where its events cannot be written any more:
    // then none can go on, and each still releases its target.
    const ended = await Promise.allSettled(
      cells.map((cell) =>
        runCell(cell, context).catch((error: unknown) => {
          end.stop(error);
          throw error;
        }),
      ),
    );
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    await runControlLeg(cells, context);
    const interrupted = end.signal.reason instanceof Interrupted;
    exitCode = decide(open.fold.cells(), { interrupted });
    const durationMs = Math.round(performance.now() - started);
    await open.emit({ type: 'run.finished', exitCode, interrupted, durationMs });
  } catch (error) {
    await open[Symbol.asyncDispose]();
    // What is on disk is worth a report also where the disk was full in the end.
    await options.onEnd(open.folder).catch(() => {});
    throw error;
  }
  await open[Symbol.asyncDispose]();
  await options.onEnd(open.folder);
  return { run: open.name, folder: open.folder, exitCode };
}

function wantedJobs({ jobs, matrix }: RunOptions): number | undefined {
  return jobs ?? matrix.limits.jobs;
}

function capacityOf(options: RunOptions, host: HostCapacity): Capacity {
  const { cells } = options;
  const guestBytes = Math.max(0, ...cells.map((cell) => cell.suite.machine.memory)) * 2 ** 20;
  const machines = cells.reduce((sum, cell) => sum + nodesOf(cell).length, 0);
  return capacityFor(guestBytes, machines, host, wantedJobs(options));
}

/** @throws ConfigError that names what differs: half a report would be of something else. */
export async function mustBeUnchanged(
  { folder, inputs, all, hint }: Resume,
  { matrix, project }: Pick<RunOptions, 'matrix' | 'project'>,
  sources: RunContext['sources'],
): Promise<void> {
  if (inputs === undefined) return;
  const changes = changesIn(inputs, await inputsOf({ matrix, cells: all, project }, sources));
  if (changes.length === 0) return;
  throw new ConfigError(`cannot resume ${basename(folder)}: since it began, ${some(changes)}`, {
    ...(hint === undefined ? {} : { hint }),
  });
}

function resumedEvent({ cells, argv }: RunOptions, { name: run }: OpenRun, { jobs, reason }: Capacity): RunResumed {
  return { type: 'run.resumed', run, cells: cells.map(({ name }) => name), jobs, jobsReason: reason, argv };
}

/** Puts what cells left that begin anew where it is in nobody's way: `earlier/1/` below the run's folder. */
export async function putAside(folder: string, cells: readonly Pick<Cell, 'name'>[]): Promise<void> {
  const earlier = join(folder, 'earlier');
  const before = await readdir(earlier).catch(() => []);
  const place = join(earlier, String(before.length + 1));
  for (const { name } of cells) {
    const from = cellFolder(folder, name);
    if (!(await exists(from))) continue;
    const to = cellFolder(place, name);
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  }
}

/** What ends everything in a run: somebody who interrupts, or its own limit. Disposal forgets both. */
function endOfRun(
  { limits }: Matrix,
  interrupt: AbortSignal,
  pause: Pause,
): Disposable & { readonly signal: AbortSignal; stop(error: unknown): void } {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Interrupted('the run was interrupted'));
  if (interrupt.aborted) onInterrupt();
  interrupt.addEventListener('abort', onInterrupt, { once: true });
  const limitMs = limits.minutes * 60_000;
  const tooLong = () =>
    stop.abort(
      new InfraError(`cannot finish the run: it took longer than ${formatDuration(limitMs)} (limits.minutes)`),
    );
  const overtime = limitTime(limitMs, pause, tooLong);
  return {
    signal: stop.signal,
    stop: (error) => stop.abort(error),
    [Symbol.dispose]() {
      overtime[Symbol.dispose]();
      interrupt.removeEventListener('abort', onInterrupt);
    },
  };
}

/** `latest` is the newest run, for people and for commands that take a run. */
export async function pointLatest(runs: string, run: string): Promise<void> {
  const link = join(runs, 'latest');
  const temporary = `${link}.${process.pid}`;
  await rm(temporary, { force: true });
  await symlink(run, temporary);
  await rename(temporary, link);
}
