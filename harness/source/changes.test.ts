import { expect, test } from 'vitest';
import { setUpFrom, sourceChanges } from './changes.ts';

const tree = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((one) => ({ path: one[0]!, digest: one.slice(1) }));

test('a machine gets new and changed files, and loses removed ones', () => {
  expect(sourceChanges(tree('a1 b1 c1'), tree('a1 b2 d1'))).toEqual({ changed: ['b', 'd'], removed: ['c'] });
  expect(sourceChanges(undefined, tree('a1 b1'))).toEqual({ changed: ['a', 'b'], removed: [] });
  expect(sourceChanges(tree('a1'), tree('a1'))).toEqual({ changed: [], removed: [] });
});

test.each([
  ['nothing differs', 'a1 b1', ['a'], true],
  ['what differs was not read', 'a1 b2', ['a'], true],
  ['what was read differs', 'a2 b1', ['a'], false],
  ['what was read is gone', 'b1', ['a'], false],
  ['a new file was not there to be read', 'a1 b1 c1', ['a'], true],
  ['it is not known what was read, and something differs', 'a1 b2', 'all', false],
  ['it is not known what was read, and nothing differs', 'a1 b1', 'all', true],
] as const)('a set-up holds: %s', (_, now, reads, expected) => {
  expect(setUpFrom(tree('a1 b1'), reads, tree(now))).toBe(expected);
});
