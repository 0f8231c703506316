import { hasMeasured } from '../bench/measured.ts';
import type { CellResult } from '../events/result.ts';
import type { BenchmarkChange } from './regression.ts';

/** The overall result of a comparison. */
export interface Gate {
  /** 1: something is worse; 4: nothing is, but not everything was compared; 0: nothing is. */
  readonly exitCode: 0 | 1 | 4;
  /** How many were compared, out of those in either run. */
  readonly compared: number;
  readonly of: number;
  /** Required benchmarks that were not compared. */
  readonly unjudged: readonly BenchmarkChange[];
}

/**
 * Whether a new run may pass. Every benchmark of the base has to be compared, and at least one. A benchmark that only
 * the new run has is new if the base's cell finished measuring, or there was no such cell; otherwise the base should
 * have had it.
 * @param confirmed whether fresh runs were made; otherwise `maybe worse` counts as worse.
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
