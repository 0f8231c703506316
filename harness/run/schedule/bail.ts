import type { HarnessEvent } from '../../events/types.ts';
import { wentWrong } from '../../events/verdicts.ts';
import { Bailed } from '../cell/step.ts';

/** Ends a run after some failures: failed cells finish and collect their evidence; everything else is stopped. */
export interface Bail {
  /** Aborted when a cell has to stop because others failed. */
  signalFor(cell: string): AbortSignal;
  /** Aborted when no more tests should run in any cell. */
  readonly tests: AbortSignal;
  /** Call this with every event. */
  event(event: HarnessEvent): void;
}

/**
 * @param limit failures after which the run ends: failed tests of voting cells, and voting cells that failed without a
 * failed test. Undefined: no limit.
 */
export function bailAfter(limit: number | undefined, voting: ReadonlySet<string>): Bail {
  const tests = new AbortController();
  const cells = new Map<string, AbortController>();
  const failed = new Map<string, number>();
  const controllerOf = (cell: string) => {
    const controller = cells.get(cell) ?? new AbortController();
    cells.set(cell, controller);
    return controller;
  };
  const fail = (cell: string) => {
    if (limit === undefined || !voting.has(cell)) return;
    failed.set(cell, (failed.get(cell) ?? 0) + 1);
    const count = [...failed.values()].reduce((sum, one) => sum + one, 0);
    if (count < limit || tests.signal.aborted) return;
    const error = new Bailed(`left out by --bail after ${count} ${count === 1 ? 'failure' : 'failures'}`);
    tests.abort(error);
    for (const one of voting) if (!failed.has(one)) controllerOf(one).abort(error);
    for (const [one, controller] of cells) if (!failed.has(one)) controller.abort(error);
  };
  return {
    tests: tests.signal,
    signalFor(cell) {
      const { signal } = controllerOf(cell);
      return signal;
    },
    event(event) {
      if (event.type === 'test.finished' && wentWrong(event)) fail(event.cell);
      if (event.type === 'cell.finished' && wentWrong(event) && !failed.has(event.cell)) fail(event.cell);
    },
  };
}
