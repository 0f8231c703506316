import fc from 'fast-check';
import { expect, test } from 'vitest';
import { architectures } from '../arch/index.ts';
import { nearest } from '../base/nearest.ts';
import { archField, archSpellings } from './fields.ts';

test('every spelling, in any case and with spaces around it, is normalised', () => {
  const spelling = fc.constantFrom(...Object.values(architectures)).chain((arch) =>
    fc.record({
      name: fc.constant(arch.name),
      word: fc
        .tuple(fc.constantFrom(arch.name, ...arch.aliases), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }))
        .map(([word, upper]) => [...word].map((char, index) => (upper[index] ? char.toUpperCase() : char)).join('')),
      before: fc.constantFrom('', ' '),
    }),
  );
  fc.assert(fc.property(spelling, ({ name, word, before }) => archField.parse(before + word) === name));
});

test('no spelling means two architectures', () => {
  expect(new Set(archSpellings).size).toBe(archSpellings.length);
});

test('a word of at least four letters is suggested despite one wrong letter', () => {
  const words = ['arm64', 'quickstart', 'ppc64le', 'include'];
  fc.assert(
    fc.property(fc.constantFrom(...words), fc.nat(3), (word, at) => {
      expect(nearest(`${word.slice(0, at)}~${word.slice(at + 1)}`, words)).toBe(word);
    }),
  );
});
