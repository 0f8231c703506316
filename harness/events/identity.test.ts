import { expect, test } from 'vitest';
import { distinctNames, testNames } from './identity.ts';

const spellings = [([name]: string) => name!, ([name, file]: string[]) => `${file}/${name}`].map(
  (spelling) => spelling as (thing: readonly string[]) => string,
);

test.each([
  [
    'names that differ stay',
    [
      ['a', 'f'],
      ['b', 'g'],
    ],
    ['a', 'b'],
  ],
  [
    'only what is shared is spelled out',
    [
      ['a', 'f'],
      ['b', 'f'],
      ['a', 'g'],
    ],
    ['f/a', 'b', 'g/a'],
  ],
  [
    'what is alike in all is numbered',
    [
      ['a', 'f'],
      ['a', 'f'],
      ['a', 'f'],
    ],
    ['f/a', 'f/a (2)', 'f/a (3)'],
  ],
  [
    'a number that somebody has is not given',
    [
      ['a', ''],
      ['a', ''],
      ['/a (2)', ''],
    ],
    ['/a', '/a (3)', '/a (2)'],
  ],
  [
    'a long name that is another’s short one',
    [
      ['a', 'f'],
      ['a', 'g'],
      ['f/a', 'h'],
    ],
    ['f/a', 'g/a', 'f/a (2)'],
  ],
])('%s', (_, things, names) => {
  expect(distinctNames<readonly string[]>(things, spellings)).toEqual(names);
  expect(new Set(names).size).toBe(names.length);
});

test('tests of one name are numbered, whichever version wrote them', () => {
  const one = { file: 'a', name: 'x' };
  expect(testNames([one, { ...one }, { file: 'b', name: 'x' }])).toEqual([
    { ...one, nth: 0 },
    { ...one, nth: 1 },
    { file: 'b', name: 'x' },
  ]);
  expect(
    testNames([
      { ...one, nth: 1 },
      { ...one, nth: 0 },
    ]),
  ).toEqual([
    { ...one, nth: 1 },
    { ...one, nth: 0 },
  ]);
});
