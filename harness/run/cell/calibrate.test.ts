import { expect, test } from 'vitest';
import { isSuspicious } from './calibrate.ts';

test.each([
  ['as slow as its architecture is assumed to be', { factor: 12, source: 'snapshot' }, 12, false],
  ['a little slower, because others ran beside it', { factor: 17, source: 'snapshot' }, 12, false],
  ['saved in a moment in which the host was busy', { factor: 100, source: 'snapshot' }, 12, true],
  ['KVM, which is as fast as the host', { factor: 1.2, source: 'snapshot' }, 1, false],
  ['KVM in a busy moment', { factor: 9, source: 'snapshot' }, 1, true],
  ['what the matrix says', { factor: 100, source: 'fixed' }, 1, false],
] as const)('%s', (_, scale, assumed, expected) => {
  expect(isSuspicious(scale, assumed)).toBe(expected);
});
