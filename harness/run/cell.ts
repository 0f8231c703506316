import { join } from 'node:path';
import { EmulatorError, HarnessError, InfraError, messageOf, StackError, UnsupportedError } from '../base/errors.ts';
import { formatDuration } from '../base/text.ts';
import { scaledMs, withDeadline } from '../base/time.ts';
import type { Matrix } from '../config/suite.ts';
import type { HarnessEvent, Phase, StepFinished, StepName, Verdict } from '../events/types.ts';
import type { Image } from '../images/build.ts';
import type { ImageSettings } from '../images/settings.ts';
import type { Cell } from '../matrix/cell.ts';
import { deployStack } from '../stacks/deploy.ts';
import type { Target } from '../targets/target.ts';
import { collectEvidence } from './collect.ts';
import { errorDataOf } from './error-data.ts';
import { unsupportedReason } from './gate.ts';
import { imageOf } from './image.ts';
import type { Lease } from './lease.ts';
import type { QuietLock, Slots } from './quiet.ts';
import type { CellSnapshot } from './snapshots.ts';
import { type StartedCell, startCell } from './start-cell.ts';
import { runSuiteProcess } from './suite-process.ts';

/** What all cells of a run share. */
export interface RunContext {
  readonly matrix: Matrix;
  readonly settings: ImageSettings;
  /** The run's folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  readonly emit: (event: HarnessEvent) => Promise<void>;
  readonly progress: (cell: string, message: string) => void;
  /** Aborted when the run is interrupted or its time is up; the reason is an Error. */
  readonly signal: AbortSignal;
  readonly keep: boolean;
  readonly bench: boolean;
  /** Neither use nor make snapshots. */
  readonly cold: boolean;
  readonly builders: Slots;
  readonly guests: Slots;
  readonly quiet: QuietLock;
}

interface StepOutcome {
  readonly verdict: Verdict;
  readonly note?: string;
  readonly reason?: string;
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
  const image = await builders.use(() =>
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
    await onTarget(cell, { ...context, signal }, image, state);
    late.removeEventListener('abort', giveUp);
  });
}

async function buildStep(cell: Cell, context: RunContext, io: StepIo): Promise<[Image, StepOutcome]> {
  const image = await imageOf(cell, context.settings, {
    signal: context.signal,
    progress: io.progress,
    phase: io.phase,
    warn: warner(cell, context),
  });
  return [image, { verdict: 'passed', note: image.cached ? `${image.key}, from the cache` : `${image.key}, built` }];
}

async function onTarget(cell: Cell, context: RunContext, image: Image, state: CellState): Promise<void> {
  let on: OnTarget | undefined;
  try {
    const scenarios = await context.quiet.busy(async () => {
      const started = await step(cell, context, 'acquire', (io) => acquireStep(cell, context, image, io));
      const died = new AbortController();
      void started.target.died.then((error) => died.abort(error));
      const signal = AbortSignal.any([context.signal, died.signal]);
      on = { cell, context: { ...context, signal }, ...started };
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
  if (!context.bench) return skip(on, 'benchmarks', 'left out by --no-bench');
  if (!['passed', 'flaky', 'skipped'].includes(scenarios.verdict))
    return skip(on, 'benchmarks', 'what does not work is not measured');
  context.progress(cell.name, 'waiting until nothing else runs');
  const benchmarks = await context.quiet.quiet(() => suiteStep(on, 'benchmarks'));
  const unheard = benchmarks.verdict === 'passed' || benchmarks.verdict === 'skipped';
  if (!unheard || state.verdict === 'skipped') Object.assign(state, verdictFrom(benchmarks));
  context.signal.throwIfAborted();
}

/** Keeps what explains a failure, then gives the target back, unless it is to be kept. */
async function leave(on: OnTarget, context: RunContext, state: CellState): Promise<void> {
  const { cell, target } = on;
  const good = state.verdict === 'passed' || state.verdict === 'skipped';
  const usable = !on.context.signal.aborted;
  if (!good && !context.signal.aborted) {
    await step(cell, context, 'collect', async () => {
      state.artifacts = await collectEvidence(target, cellFolder(context.folder, cell.name), context.folder);
      return [undefined, { verdict: 'passed' }];
    }).catch(() => {});
  }
  if (context.keep && !good && usable) {
    context.lease.keep(cell.name);
    target.leave();
    state.enter = `npx harness shell ${cell.name}`;
    return skip(on, 'release', 'kept');
  }
  await step(cell, context, 'release', async () => {
    await target[Symbol.asyncDispose]();
    return [undefined, { verdict: 'passed' }];
  });
}

interface OnTarget {
  readonly cell: Cell;
  readonly context: RunContext;
  readonly target: Target;
  readonly scale: number;
  readonly started: StartedCell;
}

async function acquireStep(
  cell: Cell,
  context: RunContext,
  image: Image,
  io: StepIo,
): Promise<[{ target: Target; scale: number; started: StartedCell }, StepOutcome]> {
  const folder = cellFolder(context.folder, cell.name);
  const { matrix, lease, keep, cold, signal } = context;
  const started = await startCell(cell, {
    matrix,
    cache: context.settings.cache,
    folder,
    lease,
    image,
    keep,
    cold,
    signal,
    ...io,
    warn: warner(cell, context),
  });
  const { target, scale } = started;
  await context.emit({ type: 'cell.facts', cell: cell.name, facts: target.facts });
  await context.emit({ type: 'cell.scale', cell: cell.name, ...scale });
  return [
    { target, scale: scale.factor, started },
    {
      verdict: 'passed',
      note: `${target.facts.emulator ?? target.facts.kind}, ${target.facts.accelerator}${started.deployed ? ', resumed' : ''}`,
    },
  ];
}

async function deployStep(on: OnTarget, io: StepIo): Promise<[undefined, StepOutcome]> {
  const { cell, context, target, scale, started } = on;
  if (started.deployed) return [undefined, { verdict: 'skipped', note: 'in the snapshot' }];
  const dying = target.died.then((error) => {
    throw error;
  });
  await Promise.race([
    deployStack(target, cell.suite, { scale, signal: context.signal, progress: io.progress }),
    dying,
  ]);
  if (started.snapshot) await saveSnapshot(on, started.snapshot, io);
  return [undefined, { verdict: 'passed' }];
}

/** A snapshot that cannot be saved costs the next run its time, not this one its result. */
async function saveSnapshot({ cell, context, target, started }: OnTarget, snapshot: CellSnapshot, io: StepIo) {
  io.progress('saving a snapshot');
  const begun = performance.now();
  await snapshot.save(target, started.scale).catch((error: unknown) => {
    context.signal.throwIfAborted();
    warner(cell, context)(`no snapshot was saved: ${messageOf(error)}`);
  });
  io.phase({ name: 'snapshot', durationMs: Math.round(performance.now() - begun) });
}

function warner(cell: Cell, context: RunContext): (message: string) => void {
  return (message) => void context.emit({ type: 'log', cell: cell.name, level: 'warn', message });
}

/** Runs a suite's scenarios or benchmarks. A failing test is an outcome, not an error. */
async function suiteStep(
  { cell, context, target, scale }: OnTarget,
  name: 'scenarios' | 'benchmarks',
): Promise<StepOutcome> {
  return step(cell, context, name, async (io) => {
    const native = name === 'scenarios' ? cell.suite.timeouts.test : cell.suite.timeouts.benchmark;
    const cacheFolder = join(cellFolder(context.folder, cell.name), 'vitest');
    const journal = join(cellFolder(context.folder, cell.name), `${name}.journal`);
    const { finished, files, cutShort } = await runSuiteProcess({
      context: {
        cell: cell.name,
        handle: { ...target.handle, facts: target.facts },
        suite: cell.suite,
        scale,
        step: name,
        cacheFolder,
        journal,
        testTimeoutMs: scaledMs(native, scale),
      },
      emit: context.emit,
      progress: io.progress,
      signal: context.signal,
    });
    const outcome = outcomeOf(name, finished, files);
    // A lost connection is noticed by the test before its cause is: let the target say whether it died.
    if (outcome.verdict === 'infra')
      await withDeadline(target.died, DEATH_MS, () => new Error('it lives')).then(rethrow, () => {});
    if (cutShort !== undefined) {
      // What cut it short decides, unless the suite itself had something to say before.
      if (outcome.verdict === 'failed' && !(cutShort instanceof InfraError))
        return [outcome, { ...outcome, error: errorDataOf(cutShort) }];
      throw cutShort;
    }
    return [outcome, outcome];
  });
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

interface StepIo {
  readonly progress: (message: string) => void;
  readonly phase: (phase: Phase) => void;
}

/** Runs a step between its two events. What it throws is in the second one, and goes on. */
async function step<T>(
  cell: Cell,
  context: RunContext,
  name: StepName,
  work: (io: StepIo) => Promise<[T, StepOutcome & { error?: StepFinished['error'] }]>,
): Promise<T> {
  const phases: Phase[] = [];
  await context.emit({ type: 'step.started', cell: cell.name, step: name });
  const started = performance.now();
  const finish = (outcome: StepOutcome & { error?: StepFinished['error'] }) =>
    context.emit({
      type: 'step.finished',
      cell: cell.name,
      step: name,
      verdict: outcome.verdict,
      durationMs: Math.round(performance.now() - started),
      ...(phases.length > 0 ? { phases } : {}),
      ...(outcome.note === undefined ? {} : { note: outcome.note }),
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
    });
  try {
    const [result, outcome] = await work({
      progress: (message) => context.progress(cell.name, message),
      phase: (phase) => void phases.push(phase),
    });
    await finish(outcome);
    return result;
  } catch (thrown) {
    // When the run is being ended, what failed is only how the end was noticed.
    const error = context.signal.aborted ? context.signal.reason : thrown;
    await finish({ verdict: verdictOfError(error), error: errorDataOf(error) });
    throw error;
  }
}

async function skip(
  { cell, context }: Pick<OnTarget, 'cell' | 'context'>,
  name: StepName,
  note: string,
): Promise<void> {
  await context.emit({ type: 'step.started', cell: cell.name, step: name });
  await context.emit({ type: 'step.finished', cell: cell.name, step: name, verdict: 'skipped', durationMs: 0, note });
}

/** Thrown into everything that runs when the user interrupts. */
export class Interrupted extends HarnessError {}

function verdictOfError(error: unknown): Verdict {
  if (error instanceof Interrupted) return 'incomplete';
  if (error instanceof UnsupportedError) return 'unsupported';
  if (error instanceof EmulatorError) return 'emulator';
  if (error instanceof StackError) return 'failed';
  if (error instanceof InfraError) return 'infra';
  if (error instanceof HarnessError) return 'failed';
  return 'infra';
}
