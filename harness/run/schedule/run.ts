import { readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, InfraError } from '../../base/errors.ts';
import { exists, makeFolder } from '../../base/files.ts';
import { formatDuration, some } from '../../base/text.ts';
import type { Matrix } from '../../config/suite.ts';
import { decide } from '../../events/fold.ts';
import type { QuarantineEntry, RunResumed, Selection, StoredEvent } from '../../events/types.ts';
import type { Pins } from '../../images/pins.ts';
import type { Cell } from '../../matrix/cell.ts';
import { memoriesOf } from '../../matrix/nodes.ts';
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
  /** Pauses at the first failure for a person; absent: never pauses. */
  readonly onPause?: WaitForPerson | undefined;
  /** A run to resume: only its cells without a result are run. */
  readonly resume?: Resume | undefined;
  /** The filters by which the cells were selected. */
  readonly selection?: Selection;
  /** The project's quarantine. */
  readonly quarantine?: readonly QuarantineEntry[] | undefined;
  /** The clock for events; absent: this machine's. */
  readonly now?: (() => Date) | undefined;
  readonly jobs?: number | undefined;
  /** Parent of the run's folder; absent: the project's folder of runs. */
  readonly runs?: string | undefined;
  /** The run's folder itself, for a part of another run; `latest` does not point to it. */
  readonly into?: string | undefined;
  /** The images of a plan; absent: images are built from today's packages. */
  readonly pins?: Pins | undefined;
  /** The project's git state, if its folder is no repository; absent: git is asked. */
  readonly git?: GitState | undefined;
  /** Aborted when the user interrupts. */
  readonly interrupt: AbortSignal;
  readonly onEvent: (event: StoredEvent) => void;
  readonly onProgress: (cell: string, message: string) => void;
  /** Called with each line that a command on a cell's machine prints. */
  readonly onOutput?: (cell: string, line: string) => void;
  /** Runs the files of a suite; absent: vitest in a separate process. */
  readonly runSuite?: RunSuite;
  /** Renders the reports of a run's folder; called when the run has ended, whatever its result. */
  readonly onEnd: (folder: string) => Promise<void>;
}

/** A run that ended before all of its cells did. */
export interface Resume {
  /** Its folder, absolute. */
  readonly folder: string;
  /** Its inputs; absent if it did not record them. */
  readonly inputs?: Inputs | undefined;
  /** All of its cells, from today's matrix. */
  readonly all: readonly Cell[];
  /** Advice for the case that it cannot be resumed. */
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

/** Runs the cells of a matrix and writes events, each of which is on disk before it is shown. */
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
  // Leftovers of killed runs would hold memory that this run counts on.
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
        // An explicit limit counts cells, however many machines they have.
        placesOf: (cell) => (wantedJobs(options) === undefined ? memoriesOf(cell).length : 1),
        quiet: new QuietLock(),
      },
      runSuite: options.runSuite ?? runSuiteProcess,
      progress: options.onProgress,
      output: options.onOutput ?? (() => {}),
      bail,
      pause,
      signal: end.signal,
    };
    // A cell handles its own failures. It throws only when events can no longer be written: then no cell can continue,
    // but each still releases its target.
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
    // Reports are still written if the disk was full at the end.
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
  const guestBytes = Math.max(0, ...cells.flatMap(memoriesOf)) * 2 ** 20;
  const machines = cells.reduce((sum, cell) => sum + memoriesOf(cell).length, 0);
  return capacityFor(guestBytes, machines, host, wantedJobs(options));
}

/** @throws ConfigError that names what changed: a run must not mix results of different inputs. */
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

/** Moves the files of cells that start over out of the way, to `earlier/1/` below the run's folder. */
export async function putAside(folder: string, cells: readonly Pick<Cell, 'name'>[]): Promise<void> {
  const earlier = join(folder, 'earlier');
  const before = await readdir(earlier).catch(() => []);
  const place = join(earlier, String(before.length + 1));
  for (const { name } of cells) {
    const from = cellFolder(folder, name);
    if (!(await exists(from))) continue;
    const to = cellFolder(place, name);
    makeFolder(dirname(to));
    await rename(from, to);
  }
}

/** What ends a run early: the user's interrupt, or the run's time limit. Disposal cancels both. */
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

/** Points `latest` to the newest run, for people and for commands that take a run. */
export async function pointLatest(runs: string, run: string): Promise<void> {
  const link = join(runs, 'latest');
  const temporary = `${link}.${process.pid}`;
  await rm(temporary, { force: true });
  await symlink(run, temporary);
  await rename(temporary, link);
}
