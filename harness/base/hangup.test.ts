import { expect, test } from 'vitest';
import { hangupIsIgnored } from './hangup.ts';

const status = (mask: string) => `Name:\tbash\nSigBlk:\t0000000000010001\nSigIgn:\t${mask}\nSigCgt:\t0\n`;

test.each([
  ['nothing says so', {}, status('0000000000001000'), false],
  ['the mask that was noted', { HARNESS_SIGIGN: '0000000000001001' }, '', true],
  ['a mask without it', { HARNESS_SIGIGN: '0000000000001000' }, '', false],
  ['a mask that is none', { HARNESS_SIGIGN: 'x' }, '', false],
  ['nohup, as bash says', { _: '/usr/bin/nohup' }, '', true],
  ['another program', { _: '/usr/bin/node' }, '', false],
  ['a parent that ignores it', {}, status('0000000000000001'), true],
])('%s', (_what, env, parent, ignored) => {
  expect(hangupIsIgnored(env, parent)).toBe(ignored);
});
