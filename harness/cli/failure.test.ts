import { writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { ConfigError, EmulatorError, HarnessError, InfraError, StackError, UnsupportedError } from '../base/errors.ts';
import { Interrupted } from '../run/cell/step.ts';
import { exitCodeOf, reportFailure } from './failure.ts';

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

test('what a program printed stands between the message and the next step, its last lines, without control characters', () => {
  const written: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  try {
    const said = `${Array.from({ length: 20 }, (_, line) => `line ${line}`).join('\n')}\n\u001b[31mno luck\n`;
    reportFailure(new StackError('cannot build the image', { cause: said, hint: 'look there' }));
    // What the message says already is not said twice.
    reportFailure(new StackError('cannot build: no luck', { cause: 'no luck' }));
  } finally {
    stderr.mockRestore();
  }
  const lines = written.join('').split('\n');
  expect(lines.slice(0, 3)).toEqual(['error: cannot build the image', 'output:', '  line 6']);
  expect(lines.slice(-6)).toEqual([
    '  line 18',
    '  line 19',
    '  no luck',
    'next: look there',
    'error: cannot build: no luck',
    '',
  ]);
});
