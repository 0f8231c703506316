import type { StoredEvent } from '../../events/types.ts';
import { wentWrong } from '../../events/verdicts.ts';
import { Bailed } from '../cell/step.ts';

/** Ends a run after some failures: what failed comes to its end, with what explains it, and nothing else goes on. */
export interface Bail {
  /** Aborted for a cell that has to stop because others failed. */
  signalFor(cell: string): AbortSignal;
  /** Aborted when no more tests are to run, in any cell. */
  readonly tests: AbortSignal;
  /** To be told every event. */
  event(event: StoredEvent): void;
}

/**
 * @param limit failures after which to end: tests of cells that vote, and such cells that came to no good without one.
 * Undefined: never.
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
