import type { BenchClock } from '../events/types.ts';
import { holm, mannWhitney } from './rank-test.ts';
import { type BenchmarkChange, type Direction, directionOf, type MinEffect, minEffectOf } from './regression.ts';
import { shiftOf } from './shift.ts';

/** A benchmark that two runs made suspect, and what fresh runs of both commits measured since: one figure a run. */
export interface Suspect {
  readonly suspect: Direction;
  readonly clock: BenchClock;
  /** In the order taken, as many on each side; taken in turns, so that a host that grows busier is busy for both. */
  readonly base: readonly number[];
  readonly next: readonly number[];
}

export interface DecisionOptions {
  readonly minEffect: MinEffect;
  /** The chance of one false alarm among all suspects. */
  readonly alpha: number;
}

/** After how many fresh runs of each commit it is decided; whoever is not decided by the last never is. */
export const LOOKS = [6, 9] as const;
export const MOST_ROUNDS = LOOKS[1];
/** From here on a suspect whom fresh runs do not bear out is let go: it saves their time, and can only lower false alarms. */
const FIRST_LET_GO = 3;

/** What fresh runs say of a suspect. */
export type Decided =
  | { readonly state: 'open' }
  | ({ readonly state: 'decided' } & Pick<
      BenchmarkChange,
      'change' | 'reason' | 'ratio' | 'interval' | 'p' | 'freshRuns'
    >);

/**
 * Asks fresh runs about suspects. Samples within a run are not independent (the host was busy, memory was laid out so), so
 * the unit is a run: each is one figure. A suspect is worse when the rank test (Mann-Whitney, of one side, because it has
 * to be the direction of the suspicion) says so, corrected by Holm over all suspects and by Bonferroni over the looks, and
 * the estimated ratio lies beyond the least change that matters. Two stages, because one cannot be both sensitive and quiet
 * over many benchmarks: the first suspects many for nothing, and this one asks only about those.
 *
 * It fails where runs of a commit depend on when they were made and the two are not taken in turns.
 */
export function decide(suspects: readonly Suspect[], options: DecisionOptions): Decided[] {
  const decided = suspects.map((): Decided => ({ state: 'open' }));
  const pAt = suspects.map(() => 1);
  const rounds = Math.max(0, ...suspects.map(({ base, next }) => Math.min(base.length, next.length)));
  for (let round = FIRST_LET_GO; round <= rounds; round++) {
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

/** How a suspect stands after so many fresh runs. */
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
