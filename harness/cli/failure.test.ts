import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigError, EmulatorError, HarnessError, InfraError, StackError, UnsupportedError } from '../base/errors.ts';
import { Interrupted } from '../run/cell/step.ts';
import { exitCodeOf } from './failure.ts';

const full = (() => {
  try {
    writeFileSync('/dev/full', 'x');
  } catch (error) {
    return error;
  }
})();

test.each([
  ['a mistake in a file', new ConfigError('x'), 2],
  ['a damaged file of events', new HarnessError('x'), 2],
  ['the machine', new InfraError('x'), 3],
  ['QEMU', new EmulatorError('x'), 3],
  ['a stack that does not come up for a shell', new StackError('x'), 3],
  ['a target that cannot do it', new UnsupportedError('x'), 3],
  ['a full disk', full, 3],
  ['a bug in the harness', new TypeError('x'), 3],
  ['what is no error at all', { code: 14 }, 3],
  ['nothing', undefined, 3],
  ['Ctrl-C', new Interrupted('x'), 130],
  ['several mistakes', new AggregateError([new ConfigError('x'), new ConfigError('y')]), 2],
  ['a mistake and the machine', new AggregateError([new ConfigError('x'), new InfraError('y')]), 3],
])('%s', (_what, error, exitCode) => {
  expect(exitCodeOf(error)).toBe(exitCode);
});
