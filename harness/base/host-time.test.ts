import { expect, test } from 'vitest';
import { hostTimeOf, waitedShare } from './host-time.ts';

const reading = (threads: Readonly<Record<string, readonly [number, number]>>) =>
  new Map(Object.entries(threads).map(([id, [ran, waited]]) => [id, { ran, waited }]));

test('the threads that do the work decide', () => {
  // The second waits long to do little, and nobody waits for it.
  const before = reading({ worker: [100, 50], other: [0, 0] });
  const after = reading({ worker: [199, 149], other: [1, 99] });
  expect(waitedShare(before, after)).toBeCloseTo(0.5 * 0.99 + 0.99 * 0.01, 10);
  expect(waitedShare(before, reading({ worker: [200, 50] }))).toBe(0);
  expect(waitedShare(reading({}), after)).toBeGreaterThan(0);
});

test('a process that did not run or does not exist has no share', () => {
  const same = reading({ worker: [1, 1] });
  expect(waitedShare(same, same)).toBeUndefined();
  expect(waitedShare(undefined, same)).toBeUndefined();
  expect(waitedShare(same, undefined)).toBeUndefined();
  expect(hostTimeOf(2 ** 30)).toBeUndefined();
});

test('the account of this process grows', () => {
  const before = hostTimeOf(process.pid)!;
  const ran = () => hostTimeOf(process.pid)!.get(String(process.pid))!.ran;
  // The kernel's account is brought up to date with its next tick.
  for (const was = ran(); ran() <= was; );
  expect(waitedShare(before, hostTimeOf(process.pid))).toBeGreaterThanOrEqual(0);
});
