import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { InfraError, messageOf, UnsupportedError } from '../base/errors.ts';
import { formatDuration } from '../base/text.ts';
import type { Verdict } from '../events/types.ts';
import type { Cell } from '../matrix/cell.ts';
import { collectEvidence } from './collect.ts';
import { anyDeath, cellFolder, type OnTarget, type RunContext, warner } from './context.ts';
import { deployOn, putBackOn } from './deploy.ts';
import { unsupportedReason } from './gate.ts';
import { type CellImages, imagesOf } from './image.ts';
import { leftBehind, nodeFolder, type StartedCell, startCell } from './start-cell.ts';
import { type StepIo, type StepOutcome, skipStep, step, verdictOfError } from './step.ts';
import { suiteStep } from './suite-step.ts';

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
    state.reason = messageOf(error);
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
  for (const why of cell.passedOver ?? [])
    await context.emit({
      type: 'log',
      cell: cell.name,
      level: 'info',
      message: `another kind of target is preferred; ${why}`,
    });
  const unsupported = await unsupportedReason(cell, context.providers);
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

async function buildStep(cell: Cell, context: RunContext, io: StepIo): Promise<[CellImages, StepOutcome]> {
  const images = await imagesOf(cell, (await context.providers(cell.target)).image, context.settings, {
    signal: context.signal,
    progress: io.progress,
    phase: io.phase,
    warn: warner(cell, context),
  });
  const notes = [...images.values()].map((image) =>
    'key' in image ? `${image.key}, ${image.cached ? 'from the cache' : 'built'}` : 'the machine has its own system',
  );
  return [images, { verdict: 'passed', note: notes.join('; ') }];
}

async function onTarget(cell: Cell, context: RunContext, images: CellImages, state: CellState): Promise<void> {
  let on: OnTarget | undefined;
  try {
    const scenarios = await context.quiet.busy(async () => {
      const started = await step(cell, context, 'acquire', (io) => acquireStep(cell, context, images, io));
      const died = new AbortController();
      void anyDeath(started).then((error) => died.abort(error));
      const signal = AbortSignal.any([context.signal, died.signal]);
      on = { cell, context: { ...context, signal }, started };
      await step(cell, on.context, 'deploy', async (io) => {
        await deployOn(on!, io);
        return [undefined, started.deployed ? { verdict: 'skipped', note: 'in the snapshot' } : { verdict: 'passed' }];
      });
      if (context.only === undefined) return suiteStep(on, 'scenarios');
      await skipStep(cell, on.context, 'scenarios', 'only benchmarks are asked for');
      return { verdict: 'skipped' } as const;
    });
    Object.assign(state, verdictFrom(scenarios));
    if (on) await measureOn(on, scenarios, state);
  } catch (error) {
    state.verdict = verdictOfError(error);
    state.reason = messageOf(error);
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
    // A machine that is gone is put back by whoever has it next.
    const note = await putBackOn(on).catch((error: unknown) => void warner(cell, context)(messageOf(error)));
    await started[Symbol.asyncDispose]();
    return [undefined, { verdict: 'passed', ...(note === undefined ? {} : { note }) }];
  }).catch((error: unknown) => {
    context.lease.leaveBehind();
    // What the cell failed of is what people want to know first.
    if (good) throw error;
    warner(cell, context)(leftBehind(messageOf(error)));
  });
}

/** What explains a failure of any of a cell's machines, relative to the run's folder. */
async function evidenceOf({ cell, started }: OnTarget, context: RunContext): Promise<string[]> {
  const place = cellFolder(context.folder, cell.name);
  const found = await Promise.all(
    started.nodes.map(({ name, target }) =>
      collectEvidence(target, cell.suite, nodeFolder(cell, place, name), context.folder),
    ),
  );
  if (!started.network) return found.flat();
  const file = join(place, 'lan.json');
  await writeFile(file, `${JSON.stringify(started.network.lan.counters(), null, 1)}\n`);
  return [...found.flat(), relative(context.folder, file)];
}

async function acquireStep(
  cell: Cell,
  context: RunContext,
  images: CellImages,
  io: StepIo,
): Promise<[StartedCell, StepOutcome]> {
  const folder = cellFolder(context.folder, cell.name);
  const { matrix, lease, keep, cold, signal } = context;
  const started = await startCell(cell, {
    matrix,
    provider: await context.providers(cell.target),
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

function verdictFrom(outcome: StepOutcome): Pick<CellState, 'verdict' | 'reason'> {
  return { verdict: outcome.verdict, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) };
}
