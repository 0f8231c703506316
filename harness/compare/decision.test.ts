import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../bench/random.ts';
import { decide, MOST_ROUNDS, type Suspect } from './decision.ts';

const options = { minEffect: { times: 0.02, instructions: 0.005 }, alpha: 0.01 };

/** Figures spread by `spread` around 100 on one side and 100 × `factor` on the other. */
function suspect(factor: number, spread: number, rounds: number, name = 'x', direction: 'worse' | 'better' = 'worse') {
  const random = seededRandom(name);
  const side = (centre: number) => Array.from({ length: rounds }, () => centre * (1 + spread * (random() - 0.5)));
  return { suspect: direction, clock: 'guest', base: side(100), next: side(100 * factor) } satisfies Suspect;
}

const answer = (one: Suspect) => decide([one], options)[0];

test('a tenth more is worse, a tenth less is better, after the first look', () => {
  expect(answer(suspect(1.1, 0.04, 6))).toMatchObject({ state: 'decided', change: 'worse', freshRuns: 6 });
  expect(answer(suspect(0.9, 0.04, 6, 'x', 'better'))).toMatchObject({ change: 'better', freshRuns: 6 });
});

test('it stays open until a look is conclusive', () => {
  expect(answer(suspect(1.1, 0.04, 5))).toEqual({ state: 'open' });
  expect(answer(suspect(1.1, 0.04, 0))).toEqual({ state: 'open' });
});

test('a change in the other direction is dropped', () => {
  expect(answer(suspect(0.9, 0.04, 3))).toMatchObject({
    change: 'cannot tell',
    reason: 'not confirmed: fresh runs do not differ so',
    freshRuns: 3,
  });
  expect(answer(suspect(0.9999, 0.001, 4))).toMatchObject({ state: 'decided', freshRuns: 3 });
});

test('a difference too small to matter is never worse, however certain', () => {
  expect(answer(suspect(1.01, 0.001, MOST_ROUNDS))).toMatchObject({ change: 'same', freshRuns: MOST_ROUNDS });
  expect(answer({ ...suspect(1.01, 0.001, 6), clock: 'instructions' })).toMatchObject({ change: 'worse' });
});

test('a suspect with too much spread is not confirmed by the last look', () => {
  const wide = suspect(1.1, 1, MOST_ROUNDS, 'wide 2');
  expect(answer(wide)).toMatchObject({ change: 'cannot tell', reason: expect.stringContaining('not confirmed') });
});

test('more suspects require more certainty for each', () => {
  const many = Array.from({ length: 20 }, (_, index) => suspect(1.1, 0.04, 6, `${index}`));
  // Six against six cannot be surer than 1 in 924.
  expect(decide(many, options).every(({ state }) => state === 'open')).toBe(true);
  const longer = many.map((_, index) => suspect(1.1, 0.04, MOST_ROUNDS, `${index}`));
  expect(decide(longer, options).every((one) => one.state === 'decided' && one.change === 'worse')).toBe(true);
});

test('a figure of zero decides nothing', () => {
  const broken = { ...suspect(1.1, 0.04, 6), next: [Number.NaN, 1, 1, 1, 1, 1] };
  expect(answer(broken)).toMatchObject({ change: 'cannot tell' });
  expect(decide([], options)).toEqual([]);
});

test('more rounds never take back what was decided', () =>
  fc.assert(
    fc.property(fc.double({ min: 0.9, max: 1.2, noNaN: true }), fc.nat(), (factor, seed) => {
      const whole = suspect(factor, 0.2, MOST_ROUNDS, `${seed}`);
      let decided = false;
      for (let rounds = 0; rounds <= MOST_ROUNDS; rounds++) {
        const { state } = answer({ ...whole, base: whole.base.slice(0, rounds), next: whole.next.slice(0, rounds) })!;
        if (decided) expect(state).toBe('decided');
        decided ||= state === 'decided';
      }
      expect(decided).toBe(true);
    }),
  ));

test('of 200 sets of 25 false suspects, no more have an alarm than alpha allows', () => {
  let alarms = 0;
  for (let set = 0; set < 200; set++) {
    const nothing = Array.from({ length: 25 }, (_, index) => suspect(1, 0.3, MOST_ROUNDS, `${set} ${index}`));
    if (decide(nothing, options).some((one) => one.state === 'decided' && one.change === 'worse')) alarms++;
  }
  // 2 would be 1 %; the seeds are fixed, so the number is, too.
  expect(alarms).toBeLessThanOrEqual(2);
});
