import { existsSync } from 'node:fs';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { ConfigError, messageOf } from '../base/errors.ts';
import { type HeldLock, tryLock } from '../base/lock.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { Ask, Engine } from '../engines/engine.ts';
import { engineKinds } from '../engines/kinds.ts';
import { decide } from '../events/fold.ts';
import { selectionWords } from '../events/selection.ts';
import type { RunResumed, Selection, StoredEvent, Verdict } from '../events/types.ts';
import { imageSettings } from '../run/cell/image.ts';
import { sourcesOf } from '../run/cell/sources.ts';
import type { Capacity } from '../run/schedule/capacity.ts';
import { type OpenRun, openRun, reopenRun } from '../run/schedule/open-run.ts';
import {
  mustBeUnchanged,
  pointLatest,
  putAside,
  type RunOptions,
  type RunOutcome,
  runsFolder,
} from '../run/schedule/run.ts';
import { startedEvent } from '../run/schedule/started.ts';
import { asksOf, classesOf } from './ask.ts';
import { type FleetBail, fleetBail } from './bailing.ts';
import { takeFinal, takeLeftOut, takeLost } from './collect.ts';
import { type DispatchOptions, dispatch } from './dispatcher.ts';
import { Ledger, type Opened } from './ledger.ts';
import { ShownRun } from './shown.ts';
import { writeTests } from './tests-file.ts';
import { packTree, placeTree } from './tree.ts';
import { cacheWords, fromTree, programWords, WORKER, workerArgv, writeWorker } from './worker.ts';

/** Milliseconds until a cell is submitted again, by the number of lost attempts. */
const BACKOFF_MS = [5_000, 30_000, 120_000];
/** Milliseconds that a row must be gone to count as lost: a network file system shows files late. */
const LAG_MS = 5_000;
/** Milliseconds between two checks for a `harness cancel`. */
const CANCEL_EVERY_MS = 1_000;
/** A file in a run's folder that asks it to end. */
const CANCEL_FILE = 'cancel';
/** The images of the plan, in the run's folder in the shared one. */
const IMAGES_FILE = 'images.json';
/** The tests of each cell, there, where no option says which. */
const TESTS_FILE = 'tests.json';

/** Where to run a run's cells. */
export interface On {
  /** Its name in `machines.yaml`. */
  readonly name: string;
  readonly config: EngineConfig;
  /** Only submit; `harness attach` does the rest. */
  readonly detach: boolean;
  /** Replaces the configured engine, for tests. */
  readonly engine?: Engine;
}

/** What a controller shows, and how it ends. */
export interface Watch extends Pick<RunOptions, 'state' | 'argv' | 'interrupt' | 'onEvent' | 'onEnd'> {
  /** For tests: milliseconds in place of the usual ones. */
  readonly lagMs?: number;
  readonly backoffMs?: number;
}

/** A detached run, which continues with `harness attach`. */
export interface Detached {
  readonly detached: string;
}

/**
 * Runs the cells of a matrix on an engine, as one run with the same events and exit code as a run on this machine.
 */
export async function runOnEngine(options: RunOptions & Watch, on: On): Promise<RunOutcome | Detached> {
  const { matrix, cells, project, resume } = options;
  const limitBytes = matrix.limits['source-mib'] * 2 ** 20;
  const sources = await sourcesOf(resume?.all ?? cells, {
    settings: imageSettings(matrix, options.cache),
    limitBytes,
    signal: options.interrupt,
    progress: options.onProgress,
  });
  if (resume) await mustBeUnchanged(resume, options, sources);
  const asks = await asksOf(cells, { engine: on.config, matrix, bench: options.bench });
  const engine = on.engine ?? engineOf(on.config);
  const tree = await placeTree(project, on.config.shared, limitBytes);
  const onNode = (path: string) => {
    const copy = tree.pathOf(path);
    return copy !== undefined && engine.moves ? relative(tree.folder, copy) : copy;
  };
  const bail = options.bail === undefined ? undefined : fleetBail(options.bail, cells);
  const onEvent = (event: StoredEvent) => {
    bail?.shown(event);
    options.onEvent(event);
  };
  await using run = await (resume ? reopened(resume.folder, { ...options, onEvent }) : fresh({ ...options, onEvent }));
  const { open, shown, ledger } = run;
  const opened: Opened = {
    type: 'opened',
    engine: { name: on.name, config: on.config },
    place: join(on.config.shared, 'runs', open.name),
    tree: engine.moves ? await packTree(tree.folder) : tree.folder,
    program: [...cacheWords(on.config), ...(await programWords(on.config.harness, onNode))],
    attempts: matrix.limits.attempts,
    classes: classesOf(asks),
  };
  await writeWorker(opened.place, engine.moves);
  if (options.pins) await copyFile(options.pins.file, join(opened.place, IMAGES_FILE));
  const { test, file } = selectionFor(options).options;
  if (options.tests && test === undefined && file === undefined)
    await writeTests(join(opened.place, TESTS_FILE), options.tests);
  const capacity = capacityOf(cells.length, opened);
  const warnings: string[] = [];
  if (resume) {
    await shown.emit(resumed(open, [...asks.keys()], opened, options));
    await putAside(open.folder, cells);
  } else
    await shown.emit(await startedEvent(options, open, capacity, sources, (warning) => void warnings.push(warning)));
  ledger.append(opened);
  for (const message of warnings) await shown.emit({ type: 'log', level: 'warn', message });
  await pointLatest(runsFolder(project), open.name);
  return await conduct({
    ...run,
    opened,
    asks,
    engine,
    selection: selectionFor(options),
    watch: options,
    detach: on.detach,
    bail,
  });
}

/**
 * Continues a run on an engine whose controller is gone: takes the results of its jobs, and submits the remaining
 * cells.
 * @throws ConfigError when the run is not on an engine, has ended, or has another controller.
 */
export async function attach(
  folder: string,
  watch: Watch,
  { engine }: { readonly engine?: Engine } = {},
): Promise<RunOutcome> {
  const name = basename(folder);
  await using run = await reopened(folder, watch);
  const { open, shown, ledger } = run;
  const { opened } = ledger;
  if (!opened) throw new ConfigError(`cannot attach to ${name}: it ran on this machine, and on no engine`);
  if (!ledger.goesOn)
    throw new ConfigError(`cannot attach to ${name}: it has ended`, { hint: `harness report ${name}` });
  const left = new Set(open.fold.unfinished());
  const asks = new Map(
    opened.classes.flatMap(({ ask, cells }) =>
      cells.filter((cell) => left.has(cell)).map((cell): [string, Ask] => [cell, ask]),
    ),
  );
  await shown.emit(resumed(open, [...asks.keys()], opened, watch));
  // Cells that start over in the events keep their earlier attempts.
  for (const cell of asks.keys())
    for (const { attempt, why } of ledger.lost(cell)) await takeLost(shown, opened.place, cell, attempt, why);
  const selection = open.fold.started?.selection ?? { options: {} };
  const job = {
    ...run,
    opened,
    asks,
    selection,
    watch,
    bail: undefined,
    engine: engine ?? engineOf(opened.engine.config),
  };
  const outcome = await conduct({ ...job, detach: false });
  if ('detached' in outcome) throw new Error('nobody detaches from a run that was attached to');
  return outcome;
}

/** Asks a run's controller, on whatever machine, to end it. */
export async function askToCancel(folder: string): Promise<void> {
  await writeFile(join(folder, CANCEL_FILE), '');
}

/** The engine that an entry of `machines.yaml` names. */
export function engineOf(config: EngineConfig): Engine {
  return engineKinds[config.kind].open(config);
}

/** The options for every part, except those that selected cells: each part gets its cell's name. */
function selectionFor({ selection, matrix }: RunOptions): Selection {
  return selection ?? { ...(matrix.file === undefined ? {} : { matrix: matrix.file }), options: {} };
}

function capacityOf(cells: number, { engine: { name, config } }: Opened): Capacity {
  return { jobs: cells, reason: `as ${name} (${config.kind}) has room` };
}

function resumed(
  { name: run }: OpenRun,
  cells: readonly string[],
  opened: Opened,
  { argv }: Pick<Watch, 'argv'>,
): RunResumed {
  const { jobs, reason: jobsReason } = capacityOf(cells.length, opened);
  return { type: 'run.resumed', run, cells, jobs, jobsReason, argv };
}

/** A run that this process controls exclusively. */
interface Controlled extends AsyncDisposable {
  readonly open: OpenRun;
  readonly shown: ShownRun;
  readonly ledger: Ledger;
}

async function fresh(options: RunOptions): Promise<Controlled> {
  const shown = new ShownRun(options.onEvent);
  const runs = options.runs ?? runsFolder(options.project);
  const open = await openRun(runs, options.state, shown.written, options.now);
  return controlled(shown, open, await tryLock(join(open.folder, 'lock')));
}

async function reopened(folder: string, watch: Pick<Watch, 'state' | 'onEvent'>): Promise<Controlled> {
  const shown = new ShownRun(watch.onEvent);
  return controlled(shown, await reopenRun(folder, watch.state, shown.written), undefined);
}

async function controlled(shown: ShownRun, open: OpenRun, lock: HeldLock | undefined): Promise<Controlled> {
  shown.writeTo(open);
  const dispose = async () => {
    await open[Symbol.asyncDispose]();
    await lock?.[Symbol.asyncDispose]();
  };
  try {
    await rm(join(open.folder, CANCEL_FILE), { force: true });
    return { open, shown, ledger: await Ledger.open(open.folder), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Conduct extends Controlled {
  readonly opened: Opened;
  readonly asks: ReadonlyMap<string, Ask>;
  readonly engine: Engine;
  readonly selection: Selection;
  readonly watch: Watch;
  readonly detach: boolean;
  readonly bail: FleetBail | undefined;
}

/** Brings all cells to results, and ends the run. */
async function conduct(run: Conduct): Promise<RunOutcome | Detached> {
  const { open, watch } = run;
  const started = performance.now();
  let exitCode: number;
  try {
    using end = endOf(open.folder, watch.interrupt);
    await dispatch(dispatchOptions(run, end.signal));
    if (run.detach && !end.signal.aborted) {
      await run[Symbol.asyncDispose]();
      return { detached: open.name };
    }
    const interrupted = end.signal.aborted;
    exitCode = decide(open.fold.cells(), { interrupted });
    const durationMs = Math.round(performance.now() - started);
    await run.shown.emit({ type: 'run.finished', exitCode, interrupted, durationMs });
    run.ledger.append({ type: 'closed' });
    open.fold.forget();
  } catch (error) {
    await run[Symbol.asyncDispose]();
    // Reports are written even if the rest failed.
    await watch.onEnd(open.folder).catch(() => {});
    throw error;
  }
  await run[Symbol.asyncDispose]();
  await watch.onEnd(open.folder);
  return { run: open.name, folder: open.folder, exitCode };
}

function dispatchOptions(run: Conduct, signal: AbortSignal): DispatchOptions {
  const { open, shown, ledger, opened, asks, engine, selection, detach, watch } = run;
  const { place } = opened;
  const seconds = opened.engine.config['poll-seconds'];
  const given = [
    ['--images', IMAGES_FILE],
    ['--tests-from', TESTS_FILE],
  ].filter(([, name]) => existsSync(join(place, name!)));
  const words = given.flatMap(([flag, name]) => [flag!, engine.moves ? fromTree(name!) : join(place, name!)]);
  if (!detach) open.lease.leaveToGc();
  const { bail } = run;
  const ended = (cell: string, verdict: Verdict | undefined) => {
    if (verdict !== undefined) bail?.ended(cell, verdict);
  };
  return {
    ...{ run: open.name, name: opened.engine.name, engine, ledger, place, cells: asks, signal, detach },
    argvOf: (cell, part) =>
      workerArgv(opened, part, [...words, ...selectionWords(selection, { cells: [cell] })], engine.moves),
    inputs: [join(place, WORKER), opened.tree, ...given.map(([, name]) => join(place, name!))],
    attempts: opened.attempts,
    ...(bail ? { bail } : {}),
    pollMs: seconds * 1000,
    lagMs: watch.lagMs ?? LAG_MS,
    backoffMs: (lost) => watch.backoffMs ?? BACKOFF_MS[Math.min(lost, BACKOFF_MS.length) - 1]!,
    // Detaching leaves the jobs running.
    register: (token) => {
      const argv = engine.cancelCommand(token);
      if (!detach) open.lease.register({ kind: 'command', id: token, argv, what: `the job ${token}` });
    },
    outcomes: {
      live: (cell, events) => shown.live(cell, events),
      lost: (cell, attempt, why) => takeLost(shown, place, cell, attempt, why),
      final: async (cell, attempt) =>
        ended(cell, await takeFinal(shown, place, cell, attempt, 'its harness ended without a result')),
      exhausted: async (cell, attempt, why) => {
        const tries = `${opened.attempts} ${opened.attempts === 1 ? 'attempt' : 'attempts'}`;
        const said = `no result after ${tries}; the last: ${why}`;
        ended(cell, await takeFinal(shown, place, cell, attempt, said, ['infra', 'emulator']));
      },
      cancelled: async (cell, attempt) => void (await takeFinal(shown, place, cell, attempt, undefined)),
      leftOut: (cell, attempt) => takeLeftOut(shown, place, cell, attempt, messageOf(bail?.tests.reason)),
      say: (level, message, cell) =>
        shown.emit({ type: 'log', level, message, ...(cell === undefined ? {} : { cell }) }),
    },
  };
}

/** Aborted when the user interrupts, here or by `harness cancel`. Disposal stops listening. */
function endOf(folder: string, interrupt: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const asked = new AbortController();
  const timer = setInterval(() => {
    if (existsSync(join(folder, CANCEL_FILE))) asked.abort();
  }, CANCEL_EVERY_MS);
  return { signal: AbortSignal.any([interrupt, asked.signal]), [Symbol.dispose]: () => clearInterval(timer) };
}
