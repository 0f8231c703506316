import { expect, test } from 'vitest';
import { buildProgram, helpWords } from './program.ts';

const harness = buildProgram(() => async () => {});

test.each([
  ['help', '--help'],
  ['help help', '--help'],
  ['help run', 'run --help'],
  ['help images build', 'images build --help'],
  ['help run smoke', 'run smoke --help'],
  // An unknown name is left as the command: its error suggests another.
  ['help nosuch', 'nosuch'],
  ['help images biuld', 'images biuld'],
  ['run help', 'run help'],
])('%s is %s', (asked, meant) => {
  expect(helpWords(asked.split(' '), harness).join(' ')).toBe(meant);
});
