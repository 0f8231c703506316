import { expect, test } from 'vitest';
import { capacityFor } from './capacity.ts';

const GIB = 2 ** 30;

test.each([
  [
    'cores',
    0.5 * GIB,
    9,
    { cores: 2, availableBytes: 20 * GIB },
    undefined,
    3,
    /^2 cores allow 3, 20\.0 GiB of memory/,
  ],
  ['memory', 4 * GIB, 9, { cores: 16, availableBytes: 10 * GIB }, undefined, 2, /guests of 4\.0 GiB allow 2$/],
  ['cells', 0.5 * GIB, 2, { cores: 8, availableBytes: 20 * GIB }, undefined, 2, /^all cells; /],
  ['the user', 0.5 * GIB, 9, { cores: 2, availableBytes: 20 * GIB }, 5, 5, /^asked for 5$/],
  ['one at least', 64 * GIB, 9, { cores: 1, availableBytes: 1 * GIB }, undefined, 1, /allow 1/],
])('limited by %s', (_, guest, cells, host, wanted, jobs, reason) => {
  const capacity = capacityFor(guest, cells, host, wanted);
  expect(capacity.jobs).toBe(jobs);
  expect(capacity.reason).toMatch(reason);
});
