import { expect, test } from 'vitest';
import { mergeAttempts } from './attempts.ts';
import { type CommandTest, commandTest } from './judge.ts';

const failed = (name: string) => commandTest(name, 10, [{ type: 'Error', message: `${name} failed` }]);
const passed = (name: string) => commandTest(name, 20, []);
const told = (tests: readonly CommandTest[]) =>
  tests.map(({ name, verdict, attempts }) => [name, verdict, attempts.length]);

test('a test that fails and then passes is flaky, with both attempts', () => {
  expect(
    told(
      mergeAttempts([
        [failed('a'), passed('b')],
        [passed('a'), passed('b')],
      ]),
    ),
  ).toEqual([
    ['a', 'flaky', 2],
    ['b', 'passed', 2],
  ]);
});

test('one that fails again is failed; tests of only the first run are kept', () => {
  expect(told(mergeAttempts([[failed('a'), failed('c')], [failed('a')]]))).toEqual([
    ['a', 'failed', 2],
    ['c', 'failed', 1],
  ]);
});

test('two tests of one name stay two', () => {
  expect(
    told(
      mergeAttempts([
        [passed('a'), failed('a')],
        [passed('a'), passed('a')],
      ]),
    ),
  ).toEqual([
    ['a', 'passed', 2],
    ['a', 'flaky', 2],
  ]);
});
