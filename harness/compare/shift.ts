import type { Interval } from '../bench/statistics.ts';
import { rankTail } from './rank-test.ts';

/**
 * The ratio of one set of figures to another: the median of all quotients of one of `next` by one of `base` (Hodges and
 * Lehmann's estimate, of logarithms), with the interval that the Mann-Whitney test does not reject at 5 %, so the two
 * agree. It assumes that both have the same shape. Undefined if a figure is not above 0, or a side is empty; without an
 * interval if there are too few for one of 95 %, which takes four on each side.
 * Source: Hodges and Lehmann, Estimates of Location Based on Rank Tests, Annals of Mathematical Statistics 34 (1963).
 */
export function shiftOf(
  base: readonly number[],
  next: readonly number[],
): { readonly ratio: number; readonly interval?: Interval } | undefined {
  if (base.length === 0 || next.length === 0 || [...base, ...next].some((figure) => !(figure > 0))) return undefined;
  const quotients = Float64Array.from(next.flatMap((above) => base.map((below) => above / below))).sort();
  const middle = (quotients.length - 1) / 2;
  const ratio = Math.sqrt(quotients[Math.floor(middle)]! * quotients[Math.ceil(middle)]!);
  // Leaves out as many quotients on each side as the test allows: P(U < k) ≤ 2.5 %.
  let left = 0;
  while (left < middle && rankTail(base.length, next.length, left) <= 0.025) left++;
  if (left === 0) return { ratio };
  return { ratio, interval: { low: quotients[left - 1]!, high: quotients[quotients.length - left]! } };
}
