import { expect, test } from 'vitest';
import { upperNormal } from './normal.ts';

// Abramowitz and Stegun, tables 26.1 and 26.2; digits beyond theirs from the same formulas in 60 decimal digits.
test.each([
  [0, 5.0e-1],
  [0.1, 4.60172162722971e-1],
  [0.5, 3.08537538725986e-1],
  [1, 1.58655253931457e-1],
  [1.5, 6.6807201268858e-2],
  [1.6448536269514722, 5.0e-2],
  [1.959963984540054, 2.5e-2],
  [2, 2.27501319481792e-2],
  [2.5, 6.20966532577613e-3],
  [2.9, 1.86581330038403e-3],
  [3, 1.34989803163009e-3],
  [3.0001, 1.34945491326071e-3],
  [3.1, 9.67603213218356e-4],
  [3.5, 2.32629079035525e-4],
  [4, 3.16712418331199e-5],
  [5, 2.86651571879193e-7],
  [6, 9.86587645037698e-10],
  [8, 6.22096057427178e-16],
  [10, 7.61985302416052e-24],
  [20, 2.75362411860623e-89],
  [37, 5.72557122252457e-300],
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
