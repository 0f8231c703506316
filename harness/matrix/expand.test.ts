import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArchName, usualArchs } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { matrixSchema } from '../config/schema/matrix.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { DEFAULT_RELEASE } from '../releases/index.ts';
import { expandCells } from './expand.ts';

function suites(...made: (string | [name: string, arch: ArchName[]])[]): Map<string, Suite> {
  return new Map(
    made.map((entry) => {
      const [name, arch] = typeof entry === 'string' ? [entry, undefined] : entry;
      return [name, { ...suiteSchema.parse(arch ? { arch } : {}), name, folder: `/suites/${name}` }];
    }),
  );
}

function matrix(config: object): Matrix {
  return { ...matrixSchema.parse({ arch: ['amd64', 'arm64'], suite: ['a'], ...config }), name: 'm' };
}

const names = (config: object, ...with_: Parameters<typeof suites>) =>
  expandCells(matrix(config), suites(...with_)).map((cell) => cell.name);

describe('expandCells', () => {
  test('is the product in the order of the matrix, the control architecture first', () => {
    expect(names({ arch: ['ppc64le', 'arm64', 'x86_64'], suite: ['b', 'a'] }, 'a', 'b')).toEqual([
      'amd64/vm/b',
      'amd64/vm/a',
      'ppc64le/vm/b',
      'ppc64le/vm/a',
      'arm64/vm/b',
      'arm64/vm/a',
    ]);
    expect(names({ control: 'aarch64' }, 'a')).toEqual(['arm64/vm/a', 'amd64/vm/a']);
  });

  test('two spellings of one architecture make one cell', () => {
    expect(names({ arch: ['arm64', 'aarch64', 'ARM64'] }, 'a')).toEqual(['arm64/vm/a']);
  });

  test('include adds, exclude takes away, whichever made the cell', () => {
    const include = [
      { arch: 'ppc64le', target: 'vm', suite: 'b' },
      { arch: 'arm64', target: 'vm', suite: 'a' },
    ];
    expect(names({ include }, 'a', 'b')).toEqual(['amd64/vm/a', 'arm64/vm/a', 'ppc64le/vm/b']);
    expect(names({ include, exclude: [{ arch: ['ppc64le', 'amd64'] }] }, 'a', 'b')).toEqual(['arm64/vm/a']);
    expect(names({ include, exclude: [{ arch: 'arm64', suite: 'a' }] }, 'a', 'b')).toEqual([
      'amd64/vm/a',
      'ppc64le/vm/b',
    ]);
  });

  test('several releases make cells of each, distinguished by name', () => {
    const release = ['trixie', 'bookworm'];
    expect(names({ arch: ['arm64', 'amd64'], images: { release } }, 'a')).toEqual([
      'amd64/vm/a@trixie',
      'amd64/vm/a@bookworm',
      'arm64/vm/a@trixie',
      'arm64/vm/a@bookworm',
    ]);
    // A name does not depend on filters.
    expect(names({ release, exclude: [{ release: 'trixie' }] }, 'a')).toEqual([
      'amd64/vm/a@bookworm',
      'arm64/vm/a@bookworm',
    ]);
    expect(names({ release: ['trixie', 'trixie'] }, 'a')).toEqual(['amd64/vm/a', 'arm64/vm/a']);
    expect(names({ release: 'trixie' }, 'a')).toEqual(['amd64/vm/a', 'arm64/vm/a']);
  });

  test('a cell is made of the release in its name', () => {
    const releasesIn = (config: object) =>
      expandCells(matrix({ arch: ['amd64'], ...config }), suites('a')).map(({ release }) => release);
    expect(releasesIn({ release: ['bookworm', 'trixie'] })).toEqual(['bookworm', 'trixie']);
    expect(releasesIn({ images: { release: 'trixie' } })).toEqual(['trixie']);
    expect(releasesIn({})).toEqual([DEFAULT_RELEASE]);
  });

  test('an include has its own release, or those of the matrix', () => {
    const cell = { arch: 'ppc64le', target: 'vm', suite: 'a' };
    expect(names({ arch: ['amd64'], release: 'bookworm', include: [{ ...cell, release: 'trixie' }] }, 'a')).toEqual([
      'amd64/vm/a@bookworm',
      'ppc64le/vm/a@trixie',
    ]);
    expect(names({ arch: ['amd64'], release: ['trixie', 'bookworm'], include: [cell] }, 'a').slice(2)).toEqual([
      'ppc64le/vm/a@trixie',
      'ppc64le/vm/a@bookworm',
    ]);
  });

  test('a machine with its own system has one cell, whatever the releases', () => {
    const config = { arch: ['amd64'], target: { each: ['ssh', 'vm'] }, release: ['trixie', 'bookworm'] };
    expect(names(config, 'a')).toEqual(['amd64/ssh/a', 'amd64/vm/a@trixie', 'amd64/vm/a@bookworm']);
    expect(names({ ...config, exclude: [{ release: 'trixie' }] }, 'a')).toEqual(['amd64/ssh/a', 'amd64/vm/a@bookworm']);
  });

  test('non-voting globs with a release, and without one', () => {
    const voting = (glob: string) =>
      expandCells(matrix({ release: ['trixie', 'bookworm'], 'non-voting': [glob] }), suites('a')).flatMap((cell) =>
        cell.voting ? [cell.name] : [],
      );
    expect(voting('*/vm/a@bookworm')).toEqual(['amd64/vm/a@trixie', 'arm64/vm/a@trixie']);
    expect(voting('arm64/**')).toEqual(['amd64/vm/a@trixie', 'amd64/vm/a@bookworm']);
  });

  test('an architecture that a suite does not support is left out silently', () => {
    expect(names({ suite: ['a', 'b'] }, 'a', ['b', ['arm64']])).toEqual(['amd64/vm/a', 'arm64/vm/a', 'arm64/vm/b']);
  });

  test('non-voting globs', () => {
    const cells = expandCells(matrix({ 'non-voting': ['arm64/**', '*/vm/b'], suite: ['a', 'b'] }), suites('a', 'b'));
    expect(cells.filter((cell) => cell.voting).map((cell) => cell.name)).toEqual(['amd64/vm/a']);
  });

  test.each([
    [
      'nothing left',
      { exclude: [{ suite: 'a' }] },
      'cannot expand matrix "m": it has no cells',
      'its exclude leaves out all 2',
    ],
    [
      'an exclude without effect',
      { exclude: [{ arch: ['ppc64el'], target: 'vm' }] },
      'cannot expand matrix "m": exclude { arch: ppc64le; target: vm } matches no cell',
      undefined,
    ],
    [
      'a glob without effect',
      { 'non-voting': ['arm64/a'] },
      'cannot expand matrix "m": non-voting "arm64/a" matches no cell',
      undefined,
    ],
    [
      'an include that cannot run',
      { include: [{ arch: 'amd64', target: 'vm', suite: 'only-arm' }] },
      'cannot expand matrix "m": include amd64/vm/only-arm cannot run: the suite is made for arm64',
      undefined,
    ],
    [
      'no suite for any architecture',
      { arch: ['amd64'], suite: ['only-arm'] },
      'cannot expand matrix "m": it has no cells',
      'its suites are made for none of its architectures, or Debian has none of them in its releases: look at `arch` in suite.yaml and `images.release`',
    ],
  ])('%s', (_, config, message, hint) => {
    const expand = () => expandCells(matrix(config), suites('a', ['only-arm', ['arm64']]));
    expect(expand).toThrow(ConfigError);
    expect(expand).toThrow(expect.objectContaining({ message, hint }));
  });

  test('too many cells are refused', () => {
    const many = Array.from({ length: 600 }, (_, index) => `s${index}`);
    expect(() => names({ suite: many }, ...many)).toThrow(
      'cannot expand matrix "m": it has 1200 cells, at most 1000 are possible',
    );
  });

  test('any matrix: no cell twice, none excluded, none unrequested, the control first', () => {
    const suiteName = fc.constantFrom('a', 'b', 'c');
    const arch = fc.constantFrom(...usualArchs);
    const config = fc.record({
      arch: fc.array(arch, { minLength: 1, maxLength: 4 }),
      suite: fc.array(suiteName, { minLength: 1, maxLength: 4 }),
      control: arch,
      include: fc.array(fc.record({ arch, target: fc.constant('vm'), suite: suiteName }), { maxLength: 3 }),
      exclude: fc.array(
        fc.oneof(fc.record({ arch }), fc.record({ suite: suiteName }), fc.record({ arch, suite: suiteName })),
        { maxLength: 2 },
      ),
    });
    fc.assert(
      fc.property(config, (written) => {
        const asked = new Set([
          ...written.arch.flatMap((one) => written.suite.map((suite) => `${one}/vm/${suite}`)),
          ...written.include.map((cell) => `${cell.arch}/vm/${cell.suite}`),
        ]);
        const excluded = (name: string) =>
          written.exclude.some((entry) => {
            const [one, , suite] = name.split('/');
            return (!('arch' in entry) || entry.arch === one) && (!('suite' in entry) || entry.suite === suite);
          });
        let cells: string[];
        try {
          cells = names(written, 'a', 'b', 'c');
        } catch (error) {
          expect((error as Error).message).toMatch(/it has no cells|matches no cell/);
          return;
        }
        expect(new Set(cells).size).toBe(cells.length);
        expect(new Set(cells)).toEqual(new Set([...asked].filter((name) => !excluded(name))));
        const isControl = cells.map((name) => name.startsWith(`${written.control}/`));
        expect(isControl.lastIndexOf(true)).toBeLessThan(
          isControl.includes(false) ? isControl.indexOf(false) : cells.length,
        );
      }),
    );
  });
});
