import { expect, test } from 'vitest';
import { controllerClock } from './clock.ts';

test('the resolution is the smallest step, the overhead the time of a reading', () => {
  let time = 0;
  const steps = [0, 3, 0, 2];
  let reading = 0;
  expect(
    controllerClock(() => {
      time += steps[reading++ % steps.length]!;
      return time;
    }),
  ).toEqual({ resolutionMs: 2, overheadMs: 2.5 });
});

test('a clock that is coarser than its reading is awaited', () => {
  let readings = 0;
  expect(controllerClock(() => 16 * Math.floor(readings++ / 1000))).toEqual({ resolutionMs: 16, overheadMs: 0 });
});

test('the clock of this process is fine enough for a sample of a tenth of a millisecond', () => {
  const { resolutionMs, overheadMs } = controllerClock();
  expect(resolutionMs).toBeGreaterThan(0);
  expect(overheadMs).toBeGreaterThanOrEqual(0);
});
