import { median } from 'simple-statistics';

/** With fewer benchmarks than this, one that changed is a large part of what they have in common. */
export const FEWEST_TOGETHER = 5;

const ROUNDS = 5;

/**
 * What all benchmarks of a night have in common: 1.2 where most of them took a fifth longer than they usually do. That
 * is the machine (a busy host, another clock rate), for what a commit changes is one benchmark or a few.
 *
 * With x the logarithms: in turns m_s = median over nights of (x_st − h_t) and h_t = median over series of
 * (x_st − m_s), Tukey's median polish, a few rounds of it. It holds as long as fewer than half of the series change at
 * once: what makes most of them slower is the machine to it, and is shown as such, and not as a change of each.
 * Of nights with fewer than {@link FEWEST_TOGETHER} values it is not known.
 * Source: Tukey, Exploratory Data Analysis (1977), chapter 11.
 * @param series each a map from night to a positive value; nights are 0 to `nights` − 1.
 */
export function commonMode(series: readonly ReadonlyMap<number, number>[], nights: number): (number | undefined)[] {
  const logs = series.map((values) => new Map([...values].map(([night, value]) => [night, Math.log(value)])));
  let common = new Array<number | undefined>(nights).fill(undefined);
  for (let round = 0; round < ROUNDS; round++) {
    const levels = logs.map((values) => median([...values].map(([night, value]) => value - (common[night] ?? 0))));
    common = common.map((_, night) => {
      const excess = logs.flatMap((values, at) => (values.has(night) ? [values.get(night)! - levels[at]!] : []));
      return excess.length < FEWEST_TOGETHER ? undefined : median(excess);
    });
  }
  return common.map((log) => (log === undefined ? undefined : Math.exp(log)));
}
