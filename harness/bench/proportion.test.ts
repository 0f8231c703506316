import { expect, test } from 'vitest';
import { failedText, proportion } from './proportion.ts';

test.each([
  [0, 10],
  [1, 10],
  [3, 50],
  [49, 50],
  [10, 10],
])('the ends of %i of %i are where the score test is just at its limit', (count, trials) => {
  const { low, high } = proportion(count, trials);
  const score = (p: number) => Math.abs(count / trials - p) / Math.sqrt((p * (1 - p)) / trials);
  if (count > 0) expect(score(low)).toBeCloseTo(1.95996, 4);
  else expect(low).toBe(0);
  if (count < trials) expect(score(high)).toBeCloseTo(1.95996, 4);
  else expect(high).toBe(1);
});

/** The chance of `count` among `trials` where one has the chance `p`. */
function binomial(count: number, trials: number, p: number): number {
  let log = trials * Math.log1p(-p);
  for (let k = 1; k <= count; k++) log += Math.log((trials - k + 1) / k) + Math.log(p) - Math.log1p(-p);
  return Math.exp(log);
}

test('it holds the true share in about 95 of 100 cases, whatever the share is', () => {
  for (const trials of [10, 50, 200]) {
    const intervals = Array.from({ length: trials + 1 }, (_, count) => proportion(count, trials));
    const covered = Array.from({ length: 97 }, (_, index) => {
      const p = (index + 2) / 100;
      return intervals.reduce(
        (sum, { count, low, high }) => (low <= p && p <= high ? sum + binomial(count, trials, p) : sum),
        0,
      );
    });
    expect(covered.reduce((a, b) => a + b) / covered.length, `${trials} trials`).toBeGreaterThan(0.94);
    expect(Math.min(...covered), `${trials} trials`).toBeGreaterThan(0.83);
  }
});

test('in words', () => {
  expect(failedText(proportion(3, 50))).toBe('failed 3 of 50 times: 6.0 %, 95 % interval 2.1 % to 16.2 %');
  expect(failedText(proportion(0, 50))).toBe('never failed in 50 times: 95 % interval 0.0 % to 7.1 %');
});
