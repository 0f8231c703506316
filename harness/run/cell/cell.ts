import { join, relative } from 'node:path';
import { InfraError, messageOf, UnsupportedError } from '../../base/errors.ts';
import { mention } from '../../base/mention.ts';
import { formatDuration, some } from '../../base/text.ts';
import { selectionText } from '../../events/chosen.ts';
import type { TestSelection } from '../../events/test-selection.ts';
import type { Verdict } from '../../events/types.ts';
import { mostTelling, verdicts } from '../../events/verdicts.ts';
import type { Cell } from '../../matrix/cell.ts';
import { checkTarget } from '../../matrix/gate.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import { limitTime } from '../schedule/pause.ts';
import { commandsStep } from '../suite/commands-step.ts';
import { hasFiles } from '../suite/suite-files.ts';
import { suiteStep } from '../suite/suite-step.ts';
import { networkEvidence } from './cluster-network.ts';
import { collectEvidence } from './collect.ts';
import {
  type CellContext,
  cellContext,
  firstDeath,
  type OnTarget,
  type RunContext,
  warn,
  whileAlive,
} from './context.ts';
import { deployOn, undoOn } from './deploy.ts';
import { type CellImages, checkPackages, imagesOf } from './image.ts';
import { machineRetries } from './retry.ts';
import { leftBehind, nodeFolder, type StartedCell, type StartRequest, startCell } from './start-cell.ts';
import { failStep, type StepIo, type StepOutcome, skipStep, step, verdictOfError } from './step.ts';

/**
 * Takes one cell through its steps: image, acquire, deploy, scenarios, benchmarks, collect, release. Whatever happens,
 * its target is released (unless `--keep` applies) and its end is written as an event.
 * @throws only InfraError, when its events cannot be written.
 */
export async function runCell(cell: Cell, run: RunContext): Promise<Verdict> {
  const started = performance.now();
  const state: CellState = { artifacts: [], left: [], verdict: 'incomplete' };
  try {
    await takeThroughSteps(cellContext(cell, run), state);
  } catch (error) {
    Object.assign(state, verdictFromError(error));
  }
  await run.open.emit({
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
  /** Names of tests that were not selected. */
  readonly left: string[];
}

async function takeThroughSteps(context: CellContext, state: CellState): Promise<void> {
  const { cell, run } = context;
  const { quiet, builders, guests, placesOf } = run.schedule;
  for (const why of cell.passedOver ?? [])
    await run.open.emit({
      type: 'log',
      cell: cell.name,
      level: 'info',
      message: `another kind of target is preferred; ${why}`,
    });
  // A missing or broken part fails the step that would have found it minutes later.
  const noTarget = await problemOf(checkTarget(cell, run.providers));
  if (noTarget !== undefined && !(noTarget instanceof UnsupportedError)) await failStep(context, 'acquire', noTarget);
  if (noTarget !== undefined) throw noTarget;
  for (const deployer of deployersOf(cell.suite)) await deployer.prepare?.(cell.suite);
  const io = { signal: context.signal, progress: (message: string) => run.progress(cell.name, message) };
  const noImage = await problemOf(quiet.busy(() => checkPackages(cell, run.settings, io), cell.name));
  if (noImage !== undefined) await failStep(context, 'image', noImage);
  context.signal.throwIfAborted();
  const images = await waiting(context, 'until images are built', builders, (begun) =>
    builders.use(
      () =>
        quiet.busy(() => {
          begun();
          return step(context, 'image', (io) => buildStep(context, io));
        }, cell.name),
      cell.name,
    ),
  );
  const work = async () => {
    const retries = machineRetries(context);
    for (;;) {
      const begun = performance.now();
      const tookTooLong = await attemptOn(context, images, state);
      // Another machine does not help a cell that is out of time, or whose machine is kept.
      if (tookTooLong || context.signal.aborted || state.enter !== undefined) break;
      // If no other machine can be acquired, report why the first one died.
      if (!retries.left(state) || (await problemOf(checkTarget(cell, run.providers))) !== undefined) break;
      await retries.again(state, performance.now() - begun);
      Object.assign(state, { verdict: 'incomplete', reason: undefined, artifacts: [] });
    }
    Object.assign(state, retries.overall(state));
  };
  await waiting(context, 'for a place', guests, (begun) =>
    guests.use(
      () => {
        begun();
        return work();
      },
      cell.name,
      placesOf(cell),
    ),
  );
}

/** Runs work that may have to wait for other cells, and reports which ones until `begun` is called. */
async function waiting<T>(
  { cell, run }: CellContext,
  what: string,
  who: { readonly names: readonly string[] },
  work: (begun: () => void) => Promise<T>,
): Promise<T> {
  const stop = mention(() => {
    const others = who.names.filter((name) => name !== cell.name);
    run.progress(cell.name, `waiting ${what}: ${others.length > 0 ? others.join(', ') : 'its turn'}`);
  });
  try {
    return await work(stop);
  } finally {
    stop();
  }
}

async function problemOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function buildStep({ cell, run, signal }: CellContext, io: StepIo): Promise<[CellImages, StepOutcome]> {
  const images = await imagesOf(cell, run.settings, { ...io, signal });
  for (const [arch, { packages }] of images)
    if (packages)
      await run.open.emit({ type: 'cell.packages', cell: cell.name, arch, release: cell.release, ...packages });
  const notes = [...images.values()].map((image) =>
    'key' in image ? `${image.key}, ${image.cached ? 'from the cache' : 'built'}` : 'the machine has its own system',
  );
  return [images, { verdict: 'passed', note: notes.join('; ') }];
}

/** One attempt of a cell, with the cell's full time limit. @returns whether it ran out of time. */
async function attemptOn(context: CellContext, images: CellImages, state: CellState): Promise<boolean> {
  // A cell's time limit starts when it gets its slot; waiting for other cells does not count.
  const { matrix, pause } = context.run;
  const limitMs = matrix.limits['cell-minutes'] * 60_000;
  const given = new AbortController();
  const giveUp = () =>
    given.abort(
      new InfraError(`cannot finish the cell: it took longer than ${formatDuration(limitMs)} (limits.cell-minutes)`),
    );
  using _limit = limitTime(limitMs, pause, giveUp);
  await onTarget({ ...context, signal: AbortSignal.any([context.signal, given.signal]) }, images, state);
  return given.signal.aborted;
}

async function onTarget(context: CellContext, images: CellImages, state: CellState): Promise<void> {
  const { quiet } = context.run.schedule;
  let on: OnTarget | undefined;
  try {
    const scenarios = await waiting(context, 'until benchmarks have ended', quiet, (begun) =>
      quiet.busy(async () => {
        begun();
        const started = await step(context, 'acquire', (io) => acquireStep(context, images, state, io));
        const died = new AbortController();
        void firstDeath(started).then((error) => died.abort(error));
        on = { context, started, signal: AbortSignal.any([context.signal, died.signal]) };
        return deployAndTest(on, state);
      }, context.cell.name),
    );
    Object.assign(state, verdictFrom(scenarios));
    state.left.push(...(scenarios.left ?? []));
    if (on) await measureOn(on, scenarios, state);
    if (on) sayNothingChosen(on, state);
  } catch (error) {
    Object.assign(state, verdictFromError(error));
  } finally {
    if (on) await leave(on, state);
  }
}

async function deployAndTest(on: OnTarget, state: CellState): Promise<StepOutcome> {
  await step(whileAlive(on), 'deploy', async (io) => {
    await deployOn(on, io, (file) => void state.artifacts.push(relative(on.context.run.open.folder, file)));
    return [undefined, on.started.deployed ? { verdict: 'skipped', note: 'in the snapshot' } : { verdict: 'passed' }];
  });
  const { steps } = chosenOf(on) ?? {};
  if (steps === undefined || steps.includes('scenarios') || steps.includes('tests')) return testOn(on, state);
  await skipStep(on.context, 'scenarios', 'only benchmarks are asked for');
  return { verdict: 'skipped' };
}

/** The tests of a cell that should run; undefined: all. */
function chosenOf({ context: { cell, run } }: OnTarget): TestSelection | undefined {
  return run.choices.tests?.get(cell.name);
}

/** The commands of a suite, then its scenarios; the worse of the two counts. */
async function testOn(on: OnTarget, state: CellState): Promise<StepOutcome> {
  const { context, started } = on;
  const { suite } = context.cell;
  if (suite.tests.length === 0 || started.setUp === undefined) return suiteStep(on, 'scenarios');
  const kept = (file: string) => void state.artifacts.push(relative(context.run.open.folder, file));
  const commands = await commandsStep(on, started.setUp.workspace, kept);
  // A suite that has only commands needs no vitest process.
  if (!(await hasFiles(suite, 'scenarios')) || context.run.bail.tests.aborted) return commands;
  const scenarios = await suiteStep(on, 'scenarios');
  const left = [...(commands.left ?? []), ...(scenarios.left ?? [])];
  // With selected tests, one of the two may have none of them; then the other one counts.
  const none = [commands, scenarios].find(({ verdict }) => chosenOf(on) !== undefined && verdict === 'skipped');
  if (none) return { ...(none === commands ? scenarios : commands), left };
  const telling = mostTelling([commands.verdict, scenarios.verdict]) === commands.verdict ? commands : scenarios;
  return { ...telling, left };
}

/** The benchmarks, alone on the host: anything else that runs would distort the figures. */
async function measureOn(on: OnTarget, scenarios: StepOutcome, state: CellState): Promise<void> {
  const { cell, run } = on.context;
  if (!run.choices.bench) return skipStep(on.context, 'benchmarks', 'left out by --no-bench');
  const { steps, only } = chosenOf(on) ?? {};
  const measures = only?.some(({ file }) => file.endsWith('.bench.ts')) ?? steps?.includes('benchmarks') ?? true;
  if (!measures) return skipStep(on.context, 'benchmarks', 'none of the benchmarks is chosen');
  if (verdicts[scenarios.verdict].blocks)
    return skipStep(on.context, 'benchmarks', 'what does not work is not measured');
  if (cell.suite.tests.length > 0 && !(await hasFiles(cell.suite, 'benchmarks')))
    return skipStep(on.context, 'benchmarks', 'the suite has no benchmarks');
  run.progress(cell.name, 'waiting until nothing else runs');
  const { quiet } = run.schedule;
  const benchmarks = await waiting(on.context, 'until nothing else runs', quiet, (begun) =>
    quiet.quiet(() => {
      begun();
      return suiteStep(on, 'benchmarks');
    }, cell.name),
  );
  const unheard = benchmarks.verdict === 'passed' || benchmarks.verdict === 'skipped';
  if (!unheard || state.verdict === 'skipped') Object.assign(state, verdictFrom(benchmarks));
  state.left.push(...(benchmarks.left ?? []));
  on.signal.throwIfAborted();
}

/** A selection that matches no test of a cell is usually a typo: the error lists the names that exist. */
function sayNothingChosen(on: OnTarget, state: CellState): void {
  const tests = chosenOf(on);
  if (tests === undefined || state.verdict !== 'skipped') return;
  const names = [...new Set(state.left)];
  const there = names.length > 0 ? `; there are ${some(names, 20)}` : '';
  state.reason = `no test of it is chosen by ${selectionText(tests)}${there}`;
  warn(on.context, state.reason);
}

/** Collects evidence after a failure, then releases the target unless it is to be kept. */
async function leave(on: OnTarget, state: CellState): Promise<void> {
  const { context, started } = on;
  const { cell, run } = context;
  const { lease } = run.open;
  const good = state.verdict === 'passed' || state.verdict === 'skipped';
  const usable = !on.signal.aborted;
  // A failing test has already paused the run by itself, before anything after it ran.
  if (!good && usable)
    await run.pause.at(
      { cell: cell.name, folder: run.open.folder, what: 'the cell', why: state.reason ?? state.verdict },
      on.signal,
    );
  if (!good && !context.signal.aborted) {
    await step(context, 'collect', async () => {
      state.artifacts.push(...(await evidenceOf(on)));
      return [undefined, { verdict: 'passed' }];
    }).catch(() => {});
  }
  if (run.choices.keep && !good && usable) {
    lease.keep(cell.name);
    for (const { target } of started.nodes) target.leave();
    for (const machine of started.blanks?.machines ?? []) machine.leave();
    state.enter = `npx harness shell ${cell.name}`;
    return skipStep(context, 'release', 'kept');
  }
  let released = false;
  try {
    await step(context, 'release', async (io) => {
      // If the machine cannot be reached, the next run that uses it reverts the changes.
      const note = await undoOn(on).catch((error: unknown) => io.warn(messageOf(error)));
      released = true;
      await started[Symbol.asyncDispose]();
      return [undefined, { verdict: 'passed', ...(note ? { note } : {}) }];
    });
  } catch (error) {
    lease.leaveBehind();
    // Do not hide what the cell failed of.
    if (good) throw error;
    warn(context, leftBehind(messageOf(error)));
  } finally {
    // Runs even if the step's first event could not be written because the disk is full.
    if (!released) await undoOn(on).catch(() => {});
    if (!released) await started[Symbol.asyncDispose]();
  }
}

/** Evidence of a failure from all of a cell's machines; paths relative to the run's folder. */
async function evidenceOf({ context, started, signal }: OnTarget): Promise<string[]> {
  const { cell, folder, run } = context;
  const runFolder = run.open.folder;
  const found = await Promise.all(
    started.nodes.map(({ name, target, silent }) =>
      collectEvidence(target, cell.suite, nodeFolder(cell, folder, name), runFolder, {
        scale: started.scale.factor,
        ...{ signal, silent },
        warn: (message) => warn(context, message),
      }),
    ),
  );
  if (!started.network) return found.flat();
  const consoles = (started.blanks?.machines ?? []).map(({ name }) =>
    join(nodeFolder(cell, folder, name), 'console.log'),
  );
  const kept = [...consoles, ...(await networkEvidence(started.network, folder))];
  return [...found.flat(), ...kept.map((path) => relative(runFolder, path))];
}

async function acquireStep(
  { cell, run, folder, signal }: CellContext,
  images: CellImages,
  state: CellState,
  io: StepIo,
): Promise<[StartedCell, StepOutcome]> {
  const { emit, lease, folder: runFolder } = run.open;
  const { keep, cold } = run.choices;
  const provider = await run.providers(cell.target);
  // A machine that answers may know why it cannot be used; once it is released, that is lost.
  const onFailedStart: StartRequest['onFailedStart'] = async ({ name, target }, scale) => {
    if (signal.aborted) return;
    const options = { scale, signal, warn: io.warn };
    const kept = await collectEvidence(target, cell.suite, nodeFolder(cell, folder, name), runFolder, options);
    state.artifacts.push(...kept);
  };
  const started = await startCell(
    cell,
    { provider, images, limits: run.matrix.limits, cold, onFailedStart, tree: run.sources.get(cell.suite.name) },
    { folder, cache: run.settings.cache, lease, keep, signal },
    io,
  );
  const { facts } = started.nodes[0].target;
  const nodes = Object.fromEntries(started.nodes.map(({ name, target }) => [name, target.facts]));
  await emit({ type: 'cell.facts', cell: cell.name, facts, ...(started.network ? { nodes } : {}) });
  await emit({ type: 'cell.scale', cell: cell.name, ...started.scale });
  const note = `${facts.emulator ?? facts.kind}, ${facts.accelerator}${started.deployed ? ', resumed' : ''}`;
  return [started, { verdict: 'passed', note }];
}

function verdictFromError(error: unknown): Pick<CellState, 'verdict' | 'reason'> {
  return { verdict: verdictOfError(error), reason: messageOf(error) };
}

function verdictFrom(outcome: StepOutcome): Pick<CellState, 'verdict' | 'reason'> {
  return { verdict: outcome.verdict, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) };
}
