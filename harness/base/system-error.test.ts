import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isSystemError, systemErrorText } from './system-error.ts';

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test.each([
  [() => mkdirSync('/etc/passwd/x'), 'cannot create /etc/passwd/x: not a directory'],
  [() => writeFileSync('/dev/full', 'x'), 'cannot write: no space left on device'],
  [() => readdirSync('/nowhere'), 'cannot list /nowhere: no such file or directory'],
  [() => readFileSync('/'), 'cannot read: illegal operation on a directory'],
])('%s', (act, message) => {
  const error = thrown(act);
  expect(isSystemError(error)).toBe(true);
  expect(systemErrorText(error as never).message).toBe(message);
});

test('an error of ours, of a library or without a code is not a system error', () => {
  for (const other of [new Error('x'), Object.assign(new Error('x'), { code: 'ERR_X', syscall: 'x' }), undefined, 'x'])
    expect(isSystemError(other)).toBe(false);
});
