import { upperNormal } from './normal.ts';

/** Largest sample sizes for the exact distribution; beyond, or with ties, the normal approximation is used. */
const EXACT = 30;

/**
 * The two-sided p-value of the Mann-Whitney U test: how often two sets from one distribution differ in their ranks as
 * much as these, or more. Exact where no two samples are equal and neither side has more than 30; otherwise the normal
 * approximation with the correction for ties and for continuity.
 *
 * It assumes independent samples. Those of one run are not entirely: a host that was slow for one run and not for the
 * other makes p small though nothing changed. The smallest p of n against n is 2 / C(2n, n): 0.0286 for 4, 0.0079 for
 * 5, 0.00016 for 8.
 * Source: Mann and Whitney, On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other,
 * Annals of Mathematical Statistics 18 (1947).
 * @throws RangeError if a side is empty or holds something that is not a number.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) throw new RangeError('cannot compare: a side has no samples');
  if ([...a, ...b].some(Number.isNaN)) throw new RangeError('cannot compare: a sample is no number');
  const all = [...a.map((value) => ({ value, first: true })), ...b.map((value) => ({ value, first: false }))];
  all.sort((one, other) => one.value - other.value);
  let rankSum = 0;
  let ties = 0;
  for (let begin = 0; begin < all.length; ) {
    let end = begin;
    while (end < all.length && all[end]!.value === all[begin]!.value) end++;
    // Equal samples share the mean of their ranks, which begin with 1.
    const rank = (begin + 1 + end) / 2;
    for (let index = begin; index < end; index++) if (all[index]!.first) rankSum += rank;
    ties += (end - begin) ** 3 - (end - begin);
    begin = end;
  }
  const [n, m] = [a.length, b.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const extreme = Math.min(u, n * m - u);
  if (ties === 0 && Math.max(n, m) <= EXACT) return Math.min(1, 2 * rankTail(n, m, extreme));
  const size = n + m;
  const variance = ((n * m) / 12) * (size + 1 - ties / (size * (size - 1)));
  if (variance === 0) return 1;
  const z = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * upperNormal(z));
}

/**
 * P(U ≤ u) for n samples and m of one distribution, by counting the ways to get each U:
 * ways(n, m, u) = ways(n − 1, m, u − m) + ways(n, m − 1, u).
 */
export function rankTail(n: number, m: number, u: number): number {
  return distribution(n, m)[Math.min(n * m, Math.floor(u))] ?? 0;
}

/** Cache of exact distributions by their sizes: there are few, and a comparison uses each repeatedly. */
const counted = new Map<string, Float64Array>();

/** P(U ≤ u) for each u. */
function distribution(n: number, m: number): Float64Array {
  const key = `${n} ${m}`;
  const known = counted.get(key);
  if (known) return known;
  const size = n * m + 1;
  // Probabilities rather than counts: C(60, 30) is beyond what a double holds exactly.
  let row = Array.from({ length: m + 1 }, () => unit(size));
  for (let i = 1; i <= n; i++) {
    const next: Float64Array[] = [unit(size)];
    for (let j = 1; j <= m; j++) {
      const ways = new Float64Array(size);
      // Of i + j samples the largest is one of the i with probability i / (i + j).
      const share = i / (i + j);
      for (let k = 0; k < size; k++) ways[k] = (1 - share) * next[j - 1]![k]! + (k >= j ? share * row[j]![k - j]! : 0);
      next.push(ways);
    }
    row = next;
  }
  const sums = row[m]!;
  for (let k = 1; k < size; k++) sums[k] = sums[k]! + sums[k - 1]!;
  counted.set(key, sums);
  return sums;
}

function unit(size: number): Float64Array {
  const values = new Float64Array(size);
  values[0] = 1;
  return values;
}

/**
 * p-values corrected for their number, so that the chance of one false alarm among them all stays at the level. In the
 * order given.
 * Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6 (1979).
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const corrected = new Array<number>(pValues.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.max(least, Math.min(1, pValues[index]! * (pValues.length - rank)));
    corrected[index] = least;
  }
  return corrected;
}
