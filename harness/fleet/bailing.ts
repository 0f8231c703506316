import type { HarnessEvent, Verdict } from '../events/types.ts';
import type { Cell } from '../matrix/cell.ts';
import { type Bail, bailAfter } from '../run/schedule/bail.ts';

/** `--bail` for cells that run elsewhere. */
export interface FleetBail extends Pick<Bail, 'tests' | 'signalFor'> {
  /** To be told every event that is shown. Of these only tests count: the end of an attempt need not be the cell's. */
  shown(event: HarnessEvent): void;
  /** To be told what a cell has come to. */
  ended(cell: string, verdict: Verdict): void;
}

/** @param limit as of {@link bailAfter}. */
export function fleetBail(limit: number, cells: readonly Pick<Cell, 'name' | 'voting'>[]): FleetBail {
  const bail = bailAfter(limit, new Set(cells.filter(({ voting }) => voting).map(({ name }) => name)));
  // Those without a vote have to be known, to be ended as well.
  for (const { name } of cells) bail.signalFor(name);
  return {
    ...bail,
    shown(event) {
      if (event.type === 'test.finished') bail.event(event);
    },
    ended: (cell, verdict) => bail.event({ type: 'cell.finished', cell, verdict, durationMs: 0 }),
  };
}
