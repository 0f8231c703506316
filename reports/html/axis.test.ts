import fc from 'fast-check';
import { expect, test } from 'vitest';
import { axisTo, ticks } from './axis.ts';

test('an axis holds every value, with two to four round steps', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (max) => {
      const { end, ticks } = axisTo(max);
      expect(end).toBeGreaterThanOrEqual(max * (1 - 1e-9));
      expect(end).toBeLessThanOrEqual(max * 2.5);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(5);
    }),
  );
  expect(axisTo(2.9)).toEqual({ end: 3, ticks: [0, 1, 2, 3] });
  expect(axisTo(0)).toEqual({ end: 1, ticks: [0] });
});

test.each([
  ['1.50 ms', '1.5 ms'],
  ['1.00 s', '1 s'],
  ['100 ms', '100 ms'],
  ['0 ms', '0 ms'],
  ['10 min 0 s', '10 min'],
  ['2 min 30 s', '2 min 30 s'],
  ['25.000 M instructions', '25 M'],
])('%s is %s on an axis', (text, shown) => {
  expect(ticks({ end: 1, ticks: [0] }, () => text).text).toContain(`>${shown}</text>`);
});
