import { EmulatorError, HarnessError, InfraError, StackError, UnsupportedError } from '../../base/errors.ts';
import { errorDataOf } from '../../events/error-data.ts';
import type { Phase, StepFinished, StepName, Verdict } from '../../events/types.ts';
import { type CellContext, say, warn } from './context.ts';

/** How a step came out where nothing was thrown. */
export interface StepOutcome {
  readonly verdict: Verdict;
  readonly note?: string;
  readonly reason?: string;
  /** Names of what was not chosen to run. */
  readonly left?: readonly string[];
}

/** How a step says what it does. */
export interface StepIo {
  readonly progress: (message: string) => void;
  readonly phase: (phase: Phase) => void;
  /** Something that people should know and that does not stop the cell. */
  readonly warn: (message: string) => void;
  /** The same, where nothing is wrong. */
  readonly say: (message: string) => void;
}

/** Runs a step between its two events. What it throws is in the second one, and goes on. */
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
    // When the run is being ended, what failed is only how the end was noticed.
    const error = context.signal.aborted ? context.signal.reason : thrown;
    await finish({ verdict: verdictOfError(error), error: errorDataOf(error) });
    throw error;
  }
}

/** A step that cannot be taken: it ends with the error, which goes on. */
export function failStep(context: CellContext, name: StepName, error: unknown): Promise<never> {
  return step(context, name, () => Promise.reject(error));
}

/** A step that is not taken, and why. */
export async function skipStep({ cell, run }: CellContext, name: StepName, note: string): Promise<void> {
  const { emit } = run.open;
  await emit({ type: 'step.started', cell: cell.name, step: name });
  await emit({ type: 'step.finished', cell: cell.name, step: name, verdict: 'skipped', durationMs: 0, note });
}

/** Thrown into what is stopped before its end for a reason that says nothing about it. */
export class Stopped extends HarnessError {}

/** Thrown into everything that runs when the user interrupts. */
export class Interrupted extends Stopped {}

/** Thrown into what is left out because something else failed. */
export class Bailed extends Stopped {}

/** What an error makes of the step, and the cell, that it ended. */
export function verdictOfError(error: unknown): Verdict {
  if (error instanceof Stopped) return 'incomplete';
  if (error instanceof UnsupportedError) return 'unsupported';
  if (error instanceof EmulatorError) return 'emulator';
  if (error instanceof StackError) return 'failed';
  if (error instanceof InfraError) return 'infra';
  if (error instanceof HarnessError) return 'failed';
  return 'infra';
}
