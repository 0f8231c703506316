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
  /** Where this is written, below the run's folder. Default: `control/here`, `control/there`. */
  readonly folder?: string;
  /** Aborted when there is no time left; the reason says why. */
  readonly signal: AbortSignal;
}

/**
 * Tries failed tests again on a machine of a cell's kind, each in the state after the deployment, and writes what comes of
 * each as an event. Nothing that goes wrong is an error: a test that cannot be tried has a verdict that says so.
 * @param cell the kind of machine: the cell itself, or its control leg.
 */
export async function tryAgain(cell: Cell, units: readonly Unit[], options: TryOptions): Promise<ControlFinished[]> {
  const { run, of, place, signal } = options;
  const told: ControlFinished[] = [];
  const tell = async (event: ControlFinished) => {
    told.push(event);
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
        // The next one gets a machine that lives.
        await end(machine);
        machine = undefined;
      }
      const each = Math.round((performance.now() - begun) / unit.tests.length);
      for (const test of unit.tests) {
        const event = heard.get(testKey(test));
        const outcome = outcomeOf(event, thrown, signal.aborted);
        const attempts = event?.attempts ?? [];
        // What never began costs nothing.
        const durationMs = signal.aborted && facts === undefined ? 0 : each;
        await tell({ ...about(test), ...outcome, durationMs, attempts, ...(facts ? { facts } : {}) });
      }
    }
  } finally {
    await end(machine);
  }
  return told;
}

/** What cannot be given back is for `harness gc`: the lease says what it is. */
async function end(machine: TrialMachine | undefined): Promise<void> {
  try {
    await machine?.[Symbol.asyncDispose]();
  } catch {
    // It says nothing about the test.
  }
}

/** What a test that was tried again came to. */
function outcomeOf(
  event: TestFinished | undefined,
  thrown: unknown,
  outOfTime: boolean,
): Pick<ControlFinished, 'verdict' | 'reason'> {
  if (thrown !== undefined) {
    const reason = messageOf(thrown);
    const verdict = verdictOfError(thrown);
    // What its machine died of is no word of the test, and what ended it for lack of time is nobody's.
    if (!outOfTime && (verdict === 'infra' || verdict === 'emulator')) return { verdict, reason };
    if (event === undefined || event.verdict !== 'failed' || outOfTime) return { verdict: 'unknown', reason };
  }
  if (event === undefined) return { verdict: 'unknown', reason: 'it did not run' };
  const { verdict, note } = event;
  if (verdict === 'skipped') return { verdict: 'unknown', reason: `it was skipped: ${note ?? 'no reason given'}` };
  return { verdict: verdict === 'flaky' ? 'passed' : verdict };
}
