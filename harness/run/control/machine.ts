import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../base/files.ts';
import type { ControlPlace, HarnessEvent } from '../../events/types.ts';
import type { Cell } from '../../matrix/cell.ts';
import { checkTarget } from '../../matrix/gate.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import { firstDeath, type OnTarget, type RunContext } from '../cell/context.ts';
import { deployOn, undoOn } from '../cell/deploy.ts';
import { imagesOf } from '../cell/image.ts';
import { restoreCell, type StartedCell, startCell } from '../cell/start-cell.ts';
import type { StepIo } from '../cell/step.ts';
import { bailAfter } from '../schedule/bail.ts';
import { pauseOnce } from '../schedule/pause.ts';
import { commandsStep } from '../suite/commands-step.ts';
import { suiteStep } from '../suite/suite-step.ts';
import type { Unit } from './units.ts';

/** A machine for running failed tests again, one unit at a time, each from the state right after deployment. */
export interface TrialMachine extends AsyncDisposable {
  readonly on: OnTarget;
  /** Runs a unit. @throws if it was ended by anything but the suite. */
  run(unit: Unit): Promise<void>;
}

export interface TrialRequest {
  readonly cell: Cell;
  readonly run: RunContext;
  readonly place: ControlPlace;
  /** The folder for its console, absolute. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Called with the suite's events, which are not written to the run. */
  readonly hear: (event: HarnessEvent) => void;
  readonly progress: (message: string) => void;
}

/** Starts a machine like the cell's, from a snapshot if possible, and deploys the stack. */
export async function startTrial(request: TrialRequest): Promise<TrialMachine> {
  const { cell, folder, signal, progress } = request;
  const run = withoutEvents(request);
  await checkTarget(cell, run.providers);
  for (const deployer of deployersOf(cell.suite)) await deployer.prepare?.(cell.suite);
  makeFolder(folder);
  const io: StepIo = { progress, phase: () => {}, warn: progress, say: progress };
  const images = await imagesOf(cell, run.settings, { ...io, signal });
  const provider = await run.providers(cell.target);
  const started = await startCell(
    cell,
    {
      provider,
      images,
      limits: run.matrix.limits,
      cold: run.choices.cold,
      tree: run.sources.get(cell.suite.name),
    },
    { folder, cache: run.settings.cache, lease: run.open.lease, keep: false, signal },
    io,
  );
  const died = new AbortController();
  void firstDeath(started).then((error) => died.abort(error));
  const context = { cell, run, folder, signal };
  const on: OnTarget = { context, started, signal: AbortSignal.any([signal, died.signal]) };
  const end = async () => {
    await undoOn(on).catch(() => {});
    await started[Symbol.asyncDispose]();
  };
  try {
    await deployOn(on, io);
  } catch (error) {
    await end();
    throw signal.aborted ? signal.reason : error;
  }
  let used = false;
  return {
    on,
    async run(unit) {
      if (used) await asDeployed(started);
      used = true;
      // Each unit starts with an empty journal.
      await rm(join(folder, `${unit.step}.journal`), { force: true });
      await runUnit(chosen(on, unit), unit);
      on.signal.throwIfAborted();
    },
    [Symbol.asyncDispose]: end,
  };
}

/** The run with events that are passed on but not written: repeated tests do not count towards the cell's result. */
function withoutEvents({ run, hear, progress }: TrialRequest): RunContext {
  const emit = async (event: HarnessEvent) => hear(event);
  return {
    ...run,
    open: { ...run.open, emit },
    choices: { ...run.choices, keep: false, bench: true, repeat: undefined, retries: { test: 0 } },
    // A --bail or pause of the run does not apply here.
    ...{ bail: bailAfter(undefined, new Set()), pause: pauseOnce(undefined) },
    progress: (_cell, message) => progress(message),
    output: (_cell, line) => progress(line),
  };
}

/** The same machine, with only the tests of a unit selected. */
function chosen(on: OnTarget, { step, only }: Unit): OnTarget {
  const { cell, run } = on.context;
  const tests = new Map([[cell.name, { steps: [step], only }]]);
  return { ...on, context: { ...on.context, run: { ...run, choices: { ...run.choices, tests } } } };
}

async function runUnit(on: OnTarget, { step }: Unit): Promise<void> {
  const { setUp } = on.started;
  if (step !== 'tests') await suiteStep(on, step);
  else if (setUp) await commandsStep(on, setUp.workspace, () => {});
}

/** Restores a machine to its state after deployment if it was saved; otherwise earlier tests' changes remain. */
async function asDeployed(started: StartedCell): Promise<void> {
  if (await started.snapshot?.find()) await restoreCell(started);
}
