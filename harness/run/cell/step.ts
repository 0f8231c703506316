import { EmulatorError, HarnessError, InfraError, StackError, UnsupportedError } from '../../base/errors.ts';
import { errorDataOf } from '../../events/error-data.ts';
import type { Phase, StepFinished, StepName, Verdict } from '../../events/types.ts';
import { type CellContext, say, warn } from './context.ts';

/** The outcome of a step that did not throw. */
export interface StepOutcome {
  readonly verdict: Verdict;
  readonly note?: string;
  readonly reason?: string;
  /** Names of what was not selected. */
  readonly left?: readonly string[];
}

/** How a step reports what it does. */
export interface StepIo {
  readonly progress: (message: string) => void;
  readonly phase: (phase: Phase) => void;
  /** A warning that does not stop the cell. */
  readonly warn: (message: string) => void;
  /** A note: nothing is wrong. */
  readonly say: (message: string) => void;
}

/** Runs a step between its two events. An error is recorded in the second event and rethrown. */
export async function step<T>(
  context: CellContext,
  name: StepName,
  work: (io: StepIo) => Promise<[T, StepOutcome & { error?: StepFinished['error'] }]>,
): Promise<T> {
  const { cell, run } = context;
  const phases: Phase[] = [];
  await run.open.emit({ type: 'step.started', cell: cell.name, step: name });
  const started = performance.now();
  const finish = (outcome: StepOutcome & { error?: StepFinished['error'] }) =>
    run.open.emit({
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
      progress: (message) => run.progress(cell.name, message),
      phase: (phase) => void phases.push(phase),
      warn: (message) => warn(context, message),
      say: (message) => say(context, message),
    });
    await finish(outcome);
    return result;
  } catch (thrown) {
    // While the run is being ended, a failure is only a consequence of that.
    const error = context.signal.aborted ? context.signal.reason : thrown;
    await finish({ verdict: verdictOfError(error), error: errorDataOf(error) });
    throw error;
  }
}

/** Records a step that cannot be taken, and rethrows the error. */
export function failStep(context: CellContext, name: StepName, error: unknown): Promise<never> {
  return step(context, name, () => Promise.reject(error));
}

/** Records a step that is skipped, and why. */
export async function skipStep({ cell, run }: CellContext, name: StepName, note: string): Promise<void> {
  const { emit } = run.open;
  await emit({ type: 'step.started', cell: cell.name, step: name });
  await emit({ type: 'step.finished', cell: cell.name, step: name, verdict: 'skipped', durationMs: 0, note });
}

/** The reason when work is stopped early through no fault of its own. */
export class Stopped extends HarnessError {}

/** The reason when the user interrupts the run. */
export class Interrupted extends Stopped {}

/** The reason when work is left out because something else failed. */
export class Bailed extends Stopped {}

/** The verdict of a step, and its cell, that ended with this error. */
export function verdictOfError(error: unknown): Verdict {
  if (error instanceof Stopped) return 'incomplete';
  if (error instanceof UnsupportedError) return 'unsupported';
  if (error instanceof EmulatorError) return 'emulator';
  if (error instanceof StackError) return 'failed';
  if (error instanceof InfraError) return 'infra';
  if (error instanceof HarnessError) return 'failed';
  return 'infra';
}
