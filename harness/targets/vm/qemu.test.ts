import { expect, test } from 'vitest';
import { eventMeaning } from './qemu.ts';

test.each([
  ['SHUTDOWN', { guest: true, reason: 'guest-shutdown' }, 'it switched itself off'],
  // As QEMU 7.2 and 10.0 say it of a pseries guest: whichever is heard first.
  ['GUEST_PANICKED', { action: 'pause' }, 'the kernel panicked'],
  ['SHUTDOWN', { guest: true, reason: 'guest-panic' }, 'the kernel panicked'],
  ['BLOCK_IO_ERROR', { nospace: true }, 'the disk of this host is full'],
  ['BLOCK_IO_ERROR', { nospace: false }, undefined],
  ['RESET', { guest: true }, undefined],
])('%s %j means %j', (event, data, meaning) => {
  expect(eventMeaning({ event, data })).toBe(meaning);
});
