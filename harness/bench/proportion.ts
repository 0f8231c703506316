/** How often something happened in independent trials, and the interval of its true probability. */
export interface Proportion {
  readonly count: number;
  readonly trials: number;
  /** Ends of the interval, 0 to 1. */
  readonly low: number;
  readonly high: number;
}

/** The 97.5 % point of the standard normal distribution, for an interval of 95 %. */
const Z = 1.959963984540054;

/**
 * The share of trials in which something happened, with the interval of Wilson's score test of 95 %:
 *
 *     (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)
 *
 * Its coverage is about right for any p and even for a few trials, unlike p ± z √(p(1−p)/n), which has no width if
 * nothing happened (Wilson, JASA 22, 1927; Brown, Cai, DasGupta, Statistical Science 16, 2001, who recommend it).
 * @param trials 1 or more.
 */
export function proportion(count: number, trials: number): Proportion {
  const p = count / trials;
  const scale = 1 + Z ** 2 / trials;
  const middle = (p + Z ** 2 / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((p * (1 - p)) / trials + Z ** 2 / (4 * trials ** 2));
  // Rounding may push a bound that is exactly 0 or 1 beyond it.
  const low = count === 0 ? 0 : Math.max(0, middle - half);
  const high = count === trials ? 1 : Math.min(1, middle + half);
  return { count, trials, low, high };
}

/** `failed 3 of 50 times: 6.0 %, 95 % interval 2.1 % to 16.2 %`. */
export function failedText({ count, trials, low, high }: Proportion): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const often = count === 0 ? 'never failed in' : `failed ${count} of`;
  const share = count === 0 ? '' : `${percent(count / trials)}, `;
  return `${often} ${trials} ${trials === 1 ? 'time' : 'times'}: ${share}95 % interval ${percent(low)} to ${percent(high)}`;
}
