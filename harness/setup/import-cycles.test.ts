import { expect, test } from 'vitest';
import { importCycles, importedFile } from './import-cycles.ts';

const cycles = (graph: Record<string, string[]>) => importCycles(new Map(Object.entries(graph)));

test('files that import one another are found, however long the way round', () => {
  expect(cycles({ a: ['b'], b: ['c'], c: ['a'], d: ['a'] })).toEqual([['a', 'b', 'c']]);
  expect(cycles({ a: ['a'] })).toEqual([['a']]);
  expect(cycles({ a: ['b'], b: ['a'], c: ['d', 'a'], d: ['c'] })).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('two ways to one file, and what lies outside, are no circle', () => {
  expect(cycles({ a: ['b', 'c'], b: ['d'], c: ['d'], d: ['elsewhere'] })).toEqual([]);
});

test('an import leads to a file where it is relative', () => {
  expect(importedFile('harness/run/cell/a.ts', '../step.ts')).toBe('harness/run/step.ts');
  expect(importedFile('harness/run/cell/a.ts', 'node:fs')).toBeUndefined();
});
