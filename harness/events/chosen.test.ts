import { describe, expect, test } from 'vitest';
import { chooser, filePattern, namePattern, selectionText } from './chosen.ts';

describe('a pattern on names', () => {
  test.each([
    ['says', 'the page > says hello', true],
    ['Says', 'the page > says hello', false],
    ['/SAYS/i', 'the page > says hello', true],
    ['the page > says', 'the page > says hello', true],
    // As vitest joins names for its own -t.
    ['the page says', 'the page > says hello', true],
    ['/^the page says/', 'the page > says hello', true],
    ['/^says/', 'the page > says hello', false],
    ['a.b', 'axb', false],
    ['/a.b/', 'axb', true],
    // Paths are text: a regular expression has a slash at both ends.
    ['/health', 'GET /health', true],
    ['/', 'GET /health', true],
    ['//', 'GET //', true],
    ['/^a\nb$/', 'a\nb', true],
  ])('%j on %j', (pattern, name, matches) => expect(namePattern(pattern)(name)).toBe(matches));

  test('a regular expression with sticky or global flags matches each time', () => {
    const matches = namePattern('/a/i');
    expect(['A', 'a', 'A'].map(matches)).toEqual([true, true, true]);
    expect(() => namePattern('/a/g')).toThrow('--test /a/g has flags that say nothing here: g');
  });

  test('an invalid one is an error that names the alternative', () =>
    expect(() => namePattern('/(/')).toThrow(/^--test \/\(\/ is no regular expression: /));
});

describe('a glob on files', () => {
  test.each([
    ['web.scenario.ts', 'web.scenario.ts', true],
    ['web.*', 'web.scenario.ts', true],
    ['*.bench.ts', 'deep/er/a.bench.ts', true],
    ['deep/*', 'deep/a.scenario.ts', true],
    ['deep/*', 'deep/er/a.scenario.ts', false],
    ['deep/**', 'deep/er/a.scenario.ts', true],
    ['suites/s/web.scenario.ts', 'web.scenario.ts', true],
    ['./suites/s/web.scenario.ts', 'web.scenario.ts', true],
    ['s/web.scenario.ts', 'web.scenario.ts', true],
    ['t/web.scenario.ts', 'web.scenario.ts', false],
    ['web', 'web.scenario.ts', false],
  ])('%j on %j of the suite s', (glob, file, matches) => expect(filePattern(glob)('s', file)).toBe(matches));
});

describe('a selection', () => {
  const names = (selection: Parameters<typeof chooser>[0]) => {
    const chosen = chooser(selection, 's');
    return ['a.scenario.ts', 'b.scenario.ts'].flatMap((file) =>
      ['one', 'two'].filter((name) => chosen.test(file, name)).map((name) => `${file[0]} ${name}`),
    );
  };

  test('chooses everything if it is absent or empty', () => {
    expect(names(undefined)).toHaveLength(4);
    expect(names({})).toHaveLength(4);
  });

  test('requires a match in every part, and within a part of any entry', () => {
    expect(names({ names: ['on', 'tw'], files: ['a.*'] })).toEqual(['a one', 'a two']);
    expect(names({ names: ['one'], files: ['a.*', 'b.*'] })).toEqual(['a one', 'b one']);
    const only = [{ file: 'a.scenario.ts' }, { file: 'b.scenario.ts', test: 'two' }];
    expect(names({ only })).toEqual(['a one', 'a two', 'b two']);
    expect(names({ only, names: ['two'] })).toEqual(['a two', 'b two']);
    expect(names({ only: [] })).toEqual([]);
  });

  test('of tests by name has no other file', () => {
    const chosen = chooser({ only: [{ file: 'b.scenario.ts', test: 'two' }] }, 's');
    expect(['a.scenario.ts', 'b.scenario.ts'].filter(chosen.file)).toEqual(['b.scenario.ts']);
  });

  test('in words', () => {
    expect(selectionText({ names: ['x'], files: ['y'] })).toBe("--test 'x' --file 'y'");
    expect(selectionText({ only: [{ file: 'y', test: 'x' }, { file: 'z' }] })).toBe('y > x, z');
  });
});
