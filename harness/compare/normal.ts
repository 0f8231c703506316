/** Up to here the series is used, beyond it the continued fraction: both need about 40 terms there. */
const SERIES_UP_TO = 3;

/**
 * P(Z > z) of the standard normal distribution, for z ≥ 0; the relative error is below 1e-13 up to z = 38, where the
 * probability is near the least number there is.
 *
 * For z ≤ 3 it is 1/2 − φ(z) (z + z³/3 + z⁵/(3·5) + z⁷/(3·5·7) + …), beyond that the continued fraction
 * φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))), φ being the density. Neither has fitted constants.
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.2.11 (Pólya's series) and 26.2.14
 * (Laplace's continued fraction).
 */
export function upperNormal(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z <= SERIES_UP_TO) {
    let [sum, term] = [z, z];
    for (let odd = 3; term > 1e-17 * sum; odd += 2) {
      term *= (z * z) / odd;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // From the inside out: the 100th denominator no longer matters to the first.
  let fraction = z;
  for (let k = 100; k >= 1; k--) fraction = z + k / fraction;
  return density / fraction;
}
