import { hasMeasured } from '../bench/measured.ts';
import type { CellResult } from '../events/result.ts';
import type { BenchmarkChange } from './regression.ts';

/** What a comparison amounts to for whoever wants one answer. */
export interface Gate {
  /** 1: something is worse; 4: nothing is, as far as was compared, and that was not enough; 0: nothing is. */
  readonly exitCode: 0 | 1 | 4;
  /** How many were compared, of how many that either run has. */
  readonly compared: number;
  readonly of: number;
  /** Those that had to be compared and were not. */
  readonly unjudged: readonly BenchmarkChange[];
}

/**
 * Whether a new run may pass. What was not compared is not taken for good: every benchmark of the base has to be, and at
 * least one. A benchmark that only the new run has is new, if the base's cell measured to its end, or there was none;
 * otherwise it is one that the base should have had.
 * @param confirmed whether fresh runs were asked; otherwise `maybe worse` is worse.
 */
export function gateOf(
  changes: readonly BenchmarkChange[],
  base: { readonly cells: readonly Pick<CellResult, 'name' | 'steps'>[] },
  { confirmed }: { readonly confirmed: boolean },
): Gate {
  const isNew = ({ onlyIn, cell }: BenchmarkChange) =>
    onlyIn === 'new' && base.cells.every((one) => one.name !== cell || hasMeasured(one));
  const compared = changes.filter((change) => change.compared).length;
  const unjudged = changes.filter((change) => !change.compared && !isNew(change));
  const bad = confirmed ? 'worse' : 'maybe worse';
  const isWorse = changes.some(({ change }) => change === bad);
  const exitCode = isWorse ? 1 : compared === 0 || unjudged.length > 0 ? 4 : 0;
  return { exitCode, compared, of: changes.length, unjudged };
}
