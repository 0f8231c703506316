import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { type TestName, testKey } from '../../events/identity.ts';
import type { ControlFinished, ControlPlace, HarnessEvent, TestFinished } from '../../events/types.ts';
import type { Cell } from '../../matrix/cell.ts';
import { cellFolder, type RunContext } from '../cell/context.ts';
import { verdictOfError } from '../cell/step.ts';
import { startTrial, type TrialMachine } from './machine.ts';
import type { Unit } from './units.ts';

export interface TryOptions {
  readonly run: RunContext;
  /** The name of the cell in which the tests failed. */
  readonly of: string;
  readonly place: ControlPlace;
  /** The folder for its files, below the run's folder. Default: `control/here`, `control/there`. */
  readonly folder?: string;
  /** Aborted when there is no time left; the reason is an Error. */
  readonly signal: AbortSignal;
}

/**
 * Runs failed tests again on a machine like the cell's, each from the state right after deployment, and writes each
 * result as an event. Never throws: a test that cannot be run again gets a verdict that says so.
 * @param cell whose kind of machine to use: the cell itself, or its control leg.
 */
export async function tryAgain(cell: Cell, units: readonly Unit[], options: TryOptions): Promise<ControlFinished[]> {
  const { run, of, place, signal } = options;
  const results: ControlFinished[] = [];
  const tell = async (event: ControlFinished) => {
    results.push(event);
    await run.open.emit(event);
  };
  const about = (test: TestName) => ({ ...test, type: 'control.finished', cell: of, place, on: cell.name }) as const;
  const tests = units.flatMap((unit) => unit.tests);
  await run.open.emit({ type: 'control.started', cell: of, place, on: cell.name, tests });
  const heard = new Map<string, TestFinished>();
  const hear = (event: HarnessEvent) => {
    if (event.type === 'test.finished') heard.set(testKey(event), event);
  };
  const progress = (message: string) => run.progress(of, `tried again on ${cell.name}: ${message}`);
  const folder = join(cellFolder(join(run.open.folder, options.folder ?? join('control', place)), cell.name));
  let machine: TrialMachine | undefined;
  try {
    for (const unit of units) {
      const begun = performance.now();
      heard.clear();
      let thrown: unknown;
      let facts = machine?.on.started.nodes[0].target.facts;
      try {
        signal.throwIfAborted();
        machine ??= await startTrial({ cell, run, place, folder, signal, hear, progress });
        ({ facts } = machine.on.started.nodes[0].target);
        await machine.run(unit);
      } catch (error) {
        thrown = signal.aborted ? signal.reason : error;
        // The next test gets a new machine.
        await end(machine);
        machine = undefined;
      }
      const each = Math.round((performance.now() - begun) / unit.tests.length);
      for (const test of unit.tests) {
        const event = heard.get(testKey(test));
        const outcome = outcomeOf(event, thrown, signal.aborted);
        const attempts = event?.attempts ?? [];
        // A machine that never started needs no clean-up.
        const durationMs = signal.aborted && facts === undefined ? 0 : each;
        await tell({ ...about(test), ...outcome, durationMs, attempts, ...(facts ? { facts } : {}) });
      }
    }
  } finally {
    await end(machine);
  }
  return results;
}

/** What cannot be released stays in the lease, for `harness gc`. */
async function end(machine: TrialMachine | undefined): Promise<void> {
  try {
    await machine?.[Symbol.asyncDispose]();
  } catch {
    // A failed clean-up says nothing about the test.
  }
}

/** The result of a test that was run again. */
function outcomeOf(
  event: TestFinished | undefined,
  thrown: unknown,
  outOfTime: boolean,
): Pick<ControlFinished, 'verdict' | 'reason'> {
  if (thrown !== undefined) {
    const reason = messageOf(thrown);
    const verdict = verdictOfError(thrown);
    // Neither the death of its machine nor a lack of time says anything about the test.
    if (!outOfTime && (verdict === 'infra' || verdict === 'emulator')) return { verdict, reason };
    if (event === undefined || event.verdict !== 'failed' || outOfTime) return { verdict: 'unknown', reason };
  }
  if (event === undefined) return { verdict: 'unknown', reason: 'it did not run' };
  const { verdict, note } = event;
  if (verdict === 'skipped') return { verdict: 'unknown', reason: `it was skipped: ${note ?? 'no reason given'}` };
  return { verdict: verdict === 'flaky' ? 'passed' : verdict };
}
