import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { serveRequests } from '../base/ask.ts';
import { InfraError, messageOf, SuiteError, UnsupportedError } from '../base/errors.ts';
import { makeRuntimeFolder } from '../base/folders.ts';
import { formatDuration } from '../base/text.ts';
import { scaledMs, withDeadline } from '../base/time.ts';
import type { Matrix } from '../config/suite.ts';
import type { Verdict } from '../events/types.ts';
import type { ImageSettings } from '../images/settings.ts';
import type { Cell } from '../matrix/cell.ts';
import type { ContextNode } from '../scenario/context.ts';
import { deployStacks } from '../stacks/deploy.ts';
import { SCALE_BOUNDS } from './calibrate.ts';
import { collectEvidence } from './collect.ts';
import { errorDataOf } from './error-data.ts';
import { unsupportedReason } from './gate.ts';
import { imagesOf } from './image.ts';
import type { Lease } from './lease.ts';
import type { QuietLock, Slots } from './quiet.ts';
import type { CellSnapshot } from './snapshots.ts';
import { nodeFolder, restoreCell, type StartedCell, startCell } from './start-cell.ts';
import { type StepContext, type StepIo, type StepOutcome, skipStep, step, verdictOfError } from './step.ts';
import { runSuiteProcess } from './suite-process.ts';

/** What all cells of a run share. */
export interface RunContext extends StepContext {
  readonly matrix: Matrix;
  readonly settings: ImageSettings;
  /** The run's folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  readonly keep: boolean;
  readonly bench: boolean;
  /** Neither use nor make snapshots. */
  readonly cold: boolean;
  readonly builders: Slots;
  readonly guests: Slots;
  /** How many places among the guests a cell takes. */
  readonly placesOf: (cell: Cell) => number;
  readonly quiet: QuietLock;
}

/** The folder of a cell in its run; `+` and `/` of the name are the folders' own. */
export function cellFolder(runFolder: string, cell: string): string {
  return join(runFolder, 'cells', ...cell.split('/'));
}

/**
 * Takes one cell through its steps: image, acquire, deploy, scenarios, benchmarks, collect, release. Whatever happens,
 * its target is released, unless it is to be kept, and its end is an event. Never throws.
 */
export async function runCell(cell: Cell, context: RunContext): Promise<Verdict> {
  const started = performance.now();
  const state: CellState = { artifacts: [], verdict: 'incomplete' };
  try {
    await takeThroughSteps(cell, context, state);
  } catch (error) {
    state.verdict = verdictOfError(error);
    state.reason = error instanceof Error ? error.message : String(error);
  }
  await context.emit({
    type: 'cell.finished',
    cell: cell.name,
    verdict: state.verdict,
    durationMs: Math.round(performance.now() - started),
    ...(state.reason === undefined || state.verdict === 'passed' ? {} : { reason: state.reason }),
    ...(state.enter === undefined ? {} : { enter: state.enter }),
    artifacts: state.artifacts,
  });
  return state.verdict;
}

interface CellState {
  verdict: Verdict;
  reason?: string;
  enter?: string;
  artifacts: string[];
}

async function takeThroughSteps(cell: Cell, context: RunContext, state: CellState): Promise<void> {
  const { quiet, builders, guests } = context;
  const unsupported = unsupportedReason(cell.target, cell.suite);
  if (unsupported !== undefined) throw new UnsupportedError(unsupported);
  context.signal.throwIfAborted();
  const images = await builders.use(() =>
    quiet.busy(() => step(cell, context, 'image', (io) => buildStep(cell, context, io))),
  );
  await guests.use(async () => {
    // A cell's time begins when it has its place: waiting for others is not its fault.
    const limitMs = context.matrix.limits['cell-minutes'] * 60_000;
    const late = AbortSignal.timeout(limitMs);
    const given = new AbortController();
    const giveUp = () =>
      given.abort(
        new InfraError(`cannot finish the cell: it took longer than ${formatDuration(limitMs)} (limits.cell-minutes)`),
      );
    late.addEventListener('abort', giveUp);
    const signal = AbortSignal.any([context.signal, given.signal]);
    await onTarget(cell, { ...context, signal }, images, state);
    late.removeEventListener('abort', giveUp);
  }, context.placesOf(cell));
}

async function buildStep(cell: Cell, context: RunContext, io: StepIo): Promise<[Images, StepOutcome]> {
  const images = await imagesOf(cell, context.settings, {
    signal: context.signal,
    progress: io.progress,
    phase: io.phase,
    warn: warner(cell, context),
  });
  const notes = [...images.values()].map((image) => `${image.key}, ${image.cached ? 'from the cache' : 'built'}`);
  return [images, { verdict: 'passed', note: notes.join('; ') }];
}

async function onTarget(cell: Cell, context: RunContext, images: Images, state: CellState): Promise<void> {
  let on: OnTarget | undefined;
  try {
    const scenarios = await context.quiet.busy(async () => {
      const started = await step(cell, context, 'acquire', (io) => acquireStep(cell, context, images, io));
      const died = new AbortController();
      void anyDeath(started).then((error) => died.abort(error));
      const signal = AbortSignal.any([context.signal, died.signal]);
      on = { cell, context: { ...context, signal }, started };
      await step(cell, on.context, 'deploy', (io) => deployStep(on!, io));
      return suiteStep(on, 'scenarios');
    });
    Object.assign(state, verdictFrom(scenarios));
    if (on) await measureOn(on, scenarios, state);
  } catch (error) {
    state.verdict = verdictOfError(error);
    state.reason = error instanceof Error ? error.message : String(error);
  } finally {
    if (on) await leave(on, context, state);
  }
}

/** The benchmarks, alone on the host: what else runs would be in the figures. */
async function measureOn(on: OnTarget, scenarios: StepOutcome, state: CellState): Promise<void> {
  const { cell, context } = on;
  if (!context.bench) return skipStep(cell, context, 'benchmarks', 'left out by --no-bench');
  if (!['passed', 'flaky', 'skipped'].includes(scenarios.verdict))
    return skipStep(cell, context, 'benchmarks', 'what does not work is not measured');
  context.progress(cell.name, 'waiting until nothing else runs');
  const benchmarks = await context.quiet.quiet(() => suiteStep(on, 'benchmarks'));
  const unheard = benchmarks.verdict === 'passed' || benchmarks.verdict === 'skipped';
  if (!unheard || state.verdict === 'skipped') Object.assign(state, verdictFrom(benchmarks));
  context.signal.throwIfAborted();
}

/** Keeps what explains a failure, then gives the target back, unless it is to be kept. */
async function leave(on: OnTarget, context: RunContext, state: CellState): Promise<void> {
  const { cell, started } = on;
  const good = state.verdict === 'passed' || state.verdict === 'skipped';
  const usable = !on.context.signal.aborted;
  if (!good && !context.signal.aborted) {
    await step(cell, context, 'collect', async () => {
      state.artifacts = await evidenceOf(on, context);
      return [undefined, { verdict: 'passed' }];
    }).catch(() => {});
  }
  if (context.keep && !good && usable) {
    context.lease.keep(cell.name);
    for (const { target } of started.nodes) target.leave();
    state.enter = `npx harness shell ${cell.name}`;
    return skipStep(cell, context, 'release', 'kept');
  }
  await step(cell, context, 'release', async () => {
    await started[Symbol.asyncDispose]();
    return [undefined, { verdict: 'passed' }];
  });
}

/** What explains a failure of any of a cell's machines, relative to the run's folder. */
async function evidenceOf({ cell, started }: OnTarget, context: RunContext): Promise<string[]> {
  const place = cellFolder(context.folder, cell.name);
  const found = await Promise.all(
    started.nodes.map(({ name, target }) =>
      collectEvidence(target, cell.suite.evidence, nodeFolder(cell, place, name), context.folder),
    ),
  );
  if (!started.network) return found.flat();
  const file = join(place, 'lan.json');
  await writeFile(file, `${JSON.stringify(started.network.lan.counters(), null, 1)}\n`);
  return [...found.flat(), relative(context.folder, file)];
}

/** Resolves when the first of a cell's machines dies by itself. */
function anyDeath({ nodes }: StartedCell): Promise<Error> {
  return Promise.race(nodes.map(({ target }) => target.died));
}

type Images = Awaited<ReturnType<typeof imagesOf>>;

interface OnTarget {
  readonly cell: Cell;
  readonly context: RunContext;
  readonly started: StartedCell;
}

async function acquireStep(
  cell: Cell,
  context: RunContext,
  images: Images,
  io: StepIo,
): Promise<[StartedCell, StepOutcome]> {
  const folder = cellFolder(context.folder, cell.name);
  const { matrix, lease, keep, cold, signal } = context;
  const started = await startCell(cell, {
    matrix,
    cache: context.settings.cache,
    folder,
    lease,
    images,
    keep,
    cold,
    signal,
    ...io,
    warn: warner(cell, context),
  });
  const { facts } = started.nodes[0].target;
  const nodes = Object.fromEntries(started.nodes.map(({ name, target }) => [name, target.facts]));
  await context.emit({ type: 'cell.facts', cell: cell.name, facts, ...(started.network ? { nodes } : {}) });
  await context.emit({ type: 'cell.scale', cell: cell.name, ...started.scale });
  const note = `${facts.emulator ?? facts.kind}, ${facts.accelerator}${started.deployed ? ', resumed' : ''}`;
  return [started, { verdict: 'passed', note }];
}

async function deployStep(on: OnTarget, io: StepIo): Promise<[undefined, StepOutcome]> {
  const { cell, context, started } = on;
  if (started.deployed) return [undefined, { verdict: 'skipped', note: 'in the snapshot' }];
  const options = { scale: started.scale.factor, signal: context.signal, progress: io.progress };
  await Promise.race([deployStacks(started.nodes, cell.suite, options), anyDeath(started).then(rethrow)]);
  if (started.snapshot) await saveSnapshot(on, started.snapshot, io);
  return [undefined, { verdict: 'passed' }];
}

/** A snapshot that cannot be saved costs the next run its time, not this one its result. */
async function saveSnapshot({ cell, context, started }: OnTarget, snapshot: CellSnapshot, io: StepIo) {
  io.progress('saving a snapshot');
  const begun = performance.now();
  await snapshot.save(started.nodes, started.scale).catch((error: unknown) => {
    context.signal.throwIfAborted();
    warner(cell, context)(`no snapshot was saved: ${messageOf(error)}`);
  });
  io.phase({ name: 'snapshot', durationMs: Math.round(performance.now() - begun) });
}

function warner(cell: Cell, context: RunContext): (message: string) => void {
  return (message) => void context.emit({ type: 'log', cell: cell.name, level: 'warn', message });
}

/** Runs a suite's scenarios or benchmarks. A failing test is an outcome, not an error. */
async function suiteStep({ cell, context, started }: OnTarget, name: 'scenarios' | 'benchmarks'): Promise<StepOutcome> {
  const { network } = started;
  const scale = started.scale.factor;
  return step(cell, context, name, async (io) => {
    const native = name === 'scenarios' ? cell.suite.timeouts.test : cell.suite.timeouts.benchmark;
    const cacheFolder = join(cellFolder(context.folder, cell.name), 'vitest');
    const journal = join(cellFolder(context.folder, cell.name), `${name}.journal`);
    await using control = await serveControl({ cell, context, started }, io);
    const { finished, files, cutShort } = await runSuiteProcess({
      context: {
        cell: cell.name,
        nodes: contextNodes(started),
        ...(network ? { lanSocket: network.controlSocket } : {}),
        suite: cell.suite,
        scale,
        step: name,
        cacheFolder,
        journal,
        controlSocket: control.socket,
        testTimeoutMs: scaledMs(native, scale),
      },
      emit: context.emit,
      progress: io.progress,
      signal: context.signal,
    });
    const outcome = outcomeOf(name, finished, files);
    // A lost connection is noticed by the test before its cause is: let the target say whether it died.
    if (outcome.verdict === 'infra')
      await withDeadline(anyDeath(started), DEATH_MS, () => new Error('it lives')).then(rethrow, () => {});
    if (cutShort !== undefined) {
      // What cut it short decides, unless the suite itself had something to say before.
      if (outcome.verdict === 'failed' && !(cutShort instanceof InfraError))
        return [outcome, { ...outcome, error: errorDataOf(cutShort) }];
      throw cutShort;
    }
    return [outcome, outcome];
  });
}

/** A cell's machines for another process. */
function contextNodes({ nodes, network }: StartedCell): ContextNode[] {
  return nodes.map(({ name, target }) => ({
    name,
    handle: { ...target.handle, facts: target.facts },
    ...(network ? { address: network.place(name).address.replace(/\/.*/, '') } : {}),
  }));
}

/**
 * Answers the suite's process: puts the cell's machines back, unless nothing has used them yet, and starts the one that
 * counts instructions for the first who asks, until the step ends.
 */
async function serveControl(on: OnTarget, io: StepIo): Promise<AsyncDisposable & { readonly socket: string }> {
  const { started, context } = on;
  const folder = await makeRuntimeFolder();
  context.lease.register({ kind: 'path', path: folder });
  const socket = join(folder, 'control');
  let used = false;
  let counting: Promise<StartedCell> | undefined;
  const served = await serveRequests(socket, async (asked) => {
    const { do: what } = asked as { readonly do: 'look' | 'restore' | 'count' };
    if (what === 'count') {
      counting ??= startCounting(on, io);
      return contextNodes(await counting);
    }
    if (what === 'restore') {
      if (used) await restoreCell(started);
      used = true;
    }
    return contextNodes(started);
  });
  return {
    socket,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await (await counting?.catch(() => undefined))?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** How many times slower a machine is that counts its instructions: one thread, and no chaining of what is translated. */
const COUNTING_SLOWDOWN = 3;

/** A machine beside the cell's own, with the same stack, whose clock counts its instructions. From a snapshot if there is one. */
async function startCounting({ cell, context, started }: OnTarget, io: StepIo): Promise<StartedCell> {
  if (started.network)
    throw new SuiteError('cannot count instructions: this is for suites of one machine, and this one has nodes');
  io.progress('starting a machine that counts instructions');
  const folder = join(cellFolder(context.folder, cell.name), 'counting');
  await mkdir(folder, { recursive: true });
  const { matrix, lease, cold, signal } = context;
  const scale = Math.min(SCALE_BOUNDS.most, started.scale.factor * COUNTING_SLOWDOWN);
  const counting = await startCell(cell, {
    // Its own clock says nothing of how long it takes here.
    matrix: { ...matrix, limits: { ...matrix.limits, scale } },
    cache: context.settings.cache,
    folder,
    lease,
    images: await imagesOf(cell, context.settings, { signal }),
    keep: false,
    cold,
    counting: true,
    signal,
    progress: io.progress,
    phase: (phase) => io.phase({ ...phase, name: `counting: ${phase.name}` }),
    warn: warner(cell, context),
  });
  try {
    if (!counting.deployed) {
      await deployStacks(counting.nodes, cell.suite, { scale, signal, progress: io.progress });
      if (counting.snapshot) await saveSnapshot({ cell, context, started: counting }, counting.snapshot, io);
    }
    return counting;
  } catch (error) {
    await counting[Symbol.asyncDispose]();
    throw error;
  }
}

/** Milliseconds in which a target that died has said so. */
const DEATH_MS = 3000;

function rethrow(error: Error): never {
  throw error;
}

function outcomeOf(name: string, finished: readonly { verdict: Verdict }[], files: number): StepOutcome {
  const ran = finished.filter((test) => test.verdict !== 'skipped');
  if (ran.length === 0) {
    return {
      verdict: 'skipped',
      note: files === 0 ? `the suite has no ${name}` : 'every test is skipped',
      reason: `no ${name} ran`,
    };
  }
  const count = (verdict: Verdict) => ran.filter((test) => test.verdict === verdict).length;
  const verdict = (['failed', 'emulator', 'infra', 'flaky'] as const).find((verdict) => count(verdict) > 0) ?? 'passed';
  const what = `${ran.length - count(verdict === 'passed' ? 'failed' : verdict)} of ${ran.length} passed`;
  return {
    verdict,
    note: verdict === 'passed' ? `${ran.length} passed` : what,
    reason: `${count(verdict)} of ${ran.length} ${name} ${verdict === 'flaky' ? 'were flaky' : 'failed'}`,
  };
}

function verdictFrom(outcome: StepOutcome): Pick<CellState, 'verdict' | 'reason'> {
  return { verdict: outcome.verdict, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) };
}
