import type { BenchClock } from '../events/types.ts';
import { holm, mannWhitney } from './rank-test.ts';
import { type BenchmarkChange, type Direction, directionOf, type MinEffect, minEffectOf } from './regression.ts';
import { shiftOf } from './shift.ts';

/** A suspect of the first comparison, with the figures of fresh runs of both commits: one figure per run. */
export interface Suspect {
  readonly suspect: Direction;
  readonly clock: BenchClock;
  /** In the order taken, equally many on each side, alternating, so that a host that becomes busier affects both. */
  readonly base: readonly number[];
  readonly next: readonly number[];
}

export interface DecisionOptions {
  readonly minEffect: MinEffect;
  /** The chance of one false alarm among all suspects. */
  readonly alpha: number;
}

/** Numbers of fresh runs of each commit after which to decide; a suspect not decided by the last never is. */
export const LOOKS = [6, 9] as const;
export const MOST_ROUNDS = LOOKS[1];
/** After this many runs an unconfirmed suspect is dropped: it saves time, and can only lower false alarms. */
const FIRST_DROP = 3;

/** The decision about a suspect. */
export type Decided =
  | { readonly state: 'open' }
  | ({ readonly state: 'decided' } & Pick<
      BenchmarkChange,
      'change' | 'reason' | 'ratio' | 'interval' | 'p' | 'freshRuns'
    >);

/**
 * Decides suspects by fresh runs. Samples within a run are not independent (a busy host, the layout of memory), so the
 * unit is a run: each gives one figure. A suspect is worse if the one-sided rank test (Mann-Whitney, in the direction
 * of the suspicion) says so, corrected by Holm over all suspects and by Bonferroni over the looks, and the estimated
 * ratio lies beyond the smallest change that matters. There are two stages because one cannot be both sensitive and
 * quiet over many benchmarks: the first suspects many wrongly, and this one tests only those.
 *
 * It fails if results depend on the time of a run and the commits do not alternate.
 */
export function decide(suspects: readonly Suspect[], options: DecisionOptions): Decided[] {
  const decided = suspects.map((): Decided => ({ state: 'open' }));
  const pAt = suspects.map(() => 1);
  const rounds = Math.max(0, ...suspects.map(({ base, next }) => Math.min(base.length, next.length)));
  for (let round = FIRST_DROP; round <= rounds; round++) {
    const open = suspects.flatMap((suspect, index) =>
      decided[index]!.state === 'open' && Math.min(suspect.base.length, suspect.next.length) >= round
        ? [{ index, ...standing(suspect, round, options.minEffect) }]
        : [],
    );
    for (const one of open) pAt[one.index] = one.p;
    const look = (LOOKS as readonly number[]).includes(round);
    const corrected = holm(pAt).map((p) => Math.min(1, p * LOOKS.length));
    for (const { index, borneOut, opposite, ratio, interval, within } of open) {
      const p = corrected[index]!;
      const common = { state: 'decided', ratio, ...(interval ? { interval } : {}), p, freshRuns: round } as const;
      if (look && borneOut && p < options.alpha) decided[index] = { ...common, change: suspects[index]!.suspect };
      else if (opposite || round >= MOST_ROUNDS) {
        pAt[index] = 1;
        decided[index] = within
          ? { ...common, change: 'same' }
          : { ...common, change: 'cannot tell', reason: notConfirmed(borneOut) };
      }
    }
  }
  return decided;
}

function notConfirmed(borneOut: boolean): string {
  return borneOut ? 'not confirmed: fresh runs are spread too widely' : 'not confirmed: fresh runs do not differ so';
}

/** The state of a suspect after this many fresh runs. */
function standing({ suspect, clock, base, next }: Suspect, round: number, effects: MinEffect) {
  const [before, after] = [base.slice(0, round), next.slice(0, round)];
  const { ratio, interval } = shiftOf(before, after) ?? { ratio: Number.NaN };
  const minEffect = minEffectOf(clock, effects);
  const opposite = !(suspect === 'worse' ? ratio > 1 : ratio < 1);
  return {
    ratio,
    interval,
    opposite,
    borneOut: directionOf(ratio, minEffect) === suspect,
    within: interval !== undefined && interval.low >= 1 / (1 + minEffect) && interval.high <= 1 + minEffect,
    p: opposite ? 1 : mannWhitney(before, after) / 2,
  };
}
