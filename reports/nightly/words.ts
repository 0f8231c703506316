import type { BenchClock } from '../../harness/events/types.ts';
import type { Night } from '../../harness/nights/night.ts';
import type { Series } from '../../harness/nights/series.ts';
import type { ChangeGroup, SeriesChange } from '../../harness/nights/trends.ts';
import { formatAmount } from '../words.ts';

/** `2026-11-21 03:17`, in UTC. */
export function when(night: Night): string {
  return night.startedAt.slice(0, 16).replace('T', ' ');
}

/** The commit, short; a word where the night has none. */
export function commitOf({ git }: Night): string {
  return git ? `${git.sha.slice(0, 10)}${git.dirty ? ' (changed)' : ''}` : 'no commit';
}

/** `+17.5 %`, `−0.62 %`: two digits below one percent, for counts of instructions. */
export function percent(ratio: number): string {
  const share = 100 * Math.abs(ratio - 1);
  return `${ratio >= 1 ? '+' : '−'}${share.toFixed(share < 1 ? 2 : share < 100 ? 1 : 0)} %`;
}

/** ` (as measured +16.1 %)`; empty if that is the same. */
export function measured({ ratio, rawRatio }: Pick<SeriesChange, 'ratio' | 'rawRatio'>): string {
  return percent(rawRatio) === percent(ratio) ? '' : ` (as measured ${percent(rawRatio)})`;
}

/** The result for a benchmark, for a sentence. */
export function direction({ ratio }: Pick<SeriesChange, 'ratio'>): 'worse' | 'better' {
  return ratio > 1 ? 'worse' : 'better';
}

/** The commits around a change, as a range for git; undefined if a night has none. */
export function commitRange(
  group: Pick<ChangeGroup, 'lastBefore' | 'first'>,
  nights: readonly Night[],
): string | undefined {
  const [from, to] = [nights[group.lastBefore]?.git?.sha, nights[group.first]?.git?.sha];
  return from && to ? `${from.slice(0, 10)}..${to.slice(0, 10)}` : undefined;
}

/** The machine of a benchmark, and how it was measured. */
export function machineOf({ machine, operations }: Pick<Series, 'machine' | 'operations'>): string {
  return operations > 1 ? `${machine}, ${operations} operations a sample` : machine;
}

/** The anchor of a change's card. */
export function changeAnchor(index: number): string {
  return `change-${index + 1}`;
}

/** A figure without its unit, which is shown above: `5.259 M` of instructions. */
export function figure(amount: number, clock: BenchClock): string {
  return formatAmount(amount, clock).replace(/ ?instructions$/, '');
}
