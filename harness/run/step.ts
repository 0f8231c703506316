import { EmulatorError, HarnessError, InfraError, StackError, UnsupportedError } from '../base/errors.ts';
import { errorDataOf } from '../events/error-data.ts';
import type { HarnessEvent, Phase, StepFinished, StepName, Verdict } from '../events/types.ts';
import type { Cell } from '../matrix/cell.ts';

/** What a step needs of a run. */
export interface StepContext {
  readonly emit: (event: HarnessEvent) => Promise<void>;
  readonly progress: (cell: string, message: string) => void;
  /** Aborted when the run is interrupted, its time is up, or the target died; the reason is an Error. */
  readonly signal: AbortSignal;
}

/** How a step came out where nothing was thrown. */
export interface StepOutcome {
  readonly verdict: Verdict;
  readonly note?: string;
  readonly reason?: string;
}

/** How a step says what it does. */
export interface StepIo {
  readonly progress: (message: string) => void;
  readonly phase: (phase: Phase) => void;
}

/** Runs a step between its two events. What it throws is in the second one, and goes on. */
export async function step<T>(
  cell: Cell,
  context: StepContext,
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

/** A step that is not taken, and why. */
export async function skipStep(cell: Cell, context: StepContext, name: StepName, note: string): Promise<void> {
  await context.emit({ type: 'step.started', cell: cell.name, step: name });
  await context.emit({ type: 'step.finished', cell: cell.name, step: name, verdict: 'skipped', durationMs: 0, note });
}

/** Thrown into everything that runs when the user interrupts. */
export class Interrupted extends HarnessError {}

/** What an error makes of the step, and the cell, that it ended. */
export function verdictOfError(error: unknown): Verdict {
  if (error instanceof Interrupted) return 'incomplete';
  if (error instanceof UnsupportedError) return 'unsupported';
  if (error instanceof EmulatorError) return 'emulator';
  if (error instanceof StackError) return 'failed';
  if (error instanceof InfraError) return 'infra';
  if (error instanceof HarnessError) return 'failed';
  return 'infra';
}
