import { expect, test } from 'vitest';
import { upperNormal } from './normal.ts';

// Abramowitz and Stegun, tables 26.1 and 26.2; digits beyond theirs from the same formulas in 60 decimal digits.
test.each([
  [0, 5.0e-1],
  [0.1, 4.60172162722971e-1],
  [0.5, 3.085375387259869e-1],
  [1, 1.586552539314571e-1],
  [1.5, 6.680720126885807e-2],
  [1.6448536269514722, 5.000000000000005e-2],
  [1.959963984540054, 2.500000000000001e-2],
  [2, 2.275013194817921e-2],
  [2.5, 6.209665325776135e-3],
  [2.9, 1.865813300384038e-3],
  [3, 1.349898031630095e-3],
  [3.0001, 1.349454913260718e-3],
  [3.1, 9.676032132183569e-4],
  [3.5, 2.32629079035525e-4],
  [4, 3.167124183311992e-5],
  [5, 2.866515718791939e-7],
  [6, 9.865876450376981e-10],
  [8, 6.220960574271784e-16],
  [10, 7.619853024160526e-24],
  [20, 2.753624118606234e-89],
  [37, 5.725571222524577e-300],
])('P(Z > %d) = %d', (z, expected) => {
  expect(Math.abs(upperNormal(z) / expected - 1)).toBeLessThan(1e-13);
});

test('it falls, and the two formulas meet', () => {
  let last = upperNormal(0);
  for (let z = 0.001; z < 8; z += 0.001) {
    const p = upperNormal(z);
    expect(p).toBeLessThan(last);
    last = p;
  }
  expect(Math.abs(upperNormal(3) / upperNormal(3 + 1e-12) - 1)).toBeLessThan(1e-10);
  expect(upperNormal(100)).toBe(0);
});
