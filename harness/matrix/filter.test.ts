import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { archNames, usualArchs } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import type { Cell } from './cell.ts';
import { filterCells } from './filter.ts';

const suite = (name: string): Cell['suite'] => ({ ...suiteSchema.parse({}), name, folder: `/suites/${name}` });
const cellsOf = (...suites: string[]): Cell[] =>
  usualArchs.flatMap((arch) =>
    suites.map((name) => ({
      ...{ name: `${arch}/vm/${name}`, arch, target: 'vm', suite: suite(name), release: 'bookworm', voting: true },
    })),
  );

const cells = cellsOf('web', 'smoke');
const names = (...args: Parameters<typeof filterCells>) => filterCells(...args).map((cell) => cell.name);

describe('filterCells', () => {
  test('no filter lets everything pass', () => {
    expect(filterCells(cells, {})).toEqual(cells);
    expect(filterCells(cells, { arch: [], only: undefined })).toEqual(cells);
  });

  test('architectures in any spelling, lists split at commas', () => {
    expect(names(cells, { arch: ['aarch64, PPC64EL'], suite: ['web'] })).toEqual(['arm64/vm/web', 'ppc64le/vm/web']);
    expect(names(cells, { arch: ['aarch64', 'ppc64el'], suite: ['web'] })).toEqual(['arm64/vm/web', 'ppc64le/vm/web']);
  });

  test('globs on the name', () => {
    expect(names(cells, { only: ['arm64/**', '*/vm/{smoke,x}'] })).toEqual([
      'amd64/vm/smoke',
      'arm64/vm/web',
      'arm64/vm/smoke',
      'ppc64le/vm/smoke',
    ]);
  });

  test('releases', () => {
    const both = cells.flatMap((cell) =>
      (['trixie', 'bookworm'] as const).map((release) => ({ ...cell, release, name: `${cell.name}@${release}` })),
    );
    const web = ['amd64', 'arm64', 'ppc64le'].map((arch) => `${arch}/vm/web@trixie`);
    expect(names(both, { suite: ['web'], release: ['trixie'] })).toEqual(web);
    expect(names(both, { only: ['*/*/web@trixie'] })).toEqual(web);
    // A glob that names none is about all of them.
    expect(names(both, { only: ['arm64/*/web'] })).toEqual(['arm64/vm/web@trixie', 'arm64/vm/web@bookworm']);
    expect(names(both, { only: ['!{amd64,arm64}/**'], release: ['bookworm'] })).toEqual([
      'ppc64le/vm/web@bookworm',
      'ppc64le/vm/smoke@bookworm',
    ]);
    const here = { ...cells[0]!, target: 'local', name: 'amd64/local/web' } as const;
    expect(() => names([here], { release: ['bookworm'] })).toThrow('no cell matches --release "bookworm"');
  });

  test.each([
    ['amd64/*', "`*` stops at `/`: try 'amd64/**'"],
    ['*', "`*` stops at `/`: try '**'"],
    ['amd64*', "`*` stops at `/`: try 'amd64*/**'"],
    ['*/web', "`*` stops at `/`: try '**/*/web'"],
    ['*web', "`*` stops at `/`: try '**/*web'"],
    ['vm/*', "`*` stops at `/`: try '**/vm/*'"],
    ['arm64', "a glob matches whole names: try 'arm64/**'"],
    ['vm', "a glob matches whole names: try '**/vm/**'"],
    ['nothing/*', undefined],
  ])('--only %s matches nothing, and a glob that would is named', (glob, hint) => {
    const refused = expect.objectContaining({ message: expect.stringContaining('no cell matches --only'), hint });
    expect(() => filterCells(cells, { only: [glob] })).toThrow(refused);
  });

  test.each([
    [
      { release: ['trixi'] },
      'unknown Debian release "trixi", expected one of trixie, bookworm; did you mean "trixie"?',
    ],
    [
      { arch: ['amr64'] },
      `unknown architecture "amr64", expected one of ${archNames.join(', ')}; did you mean "arm64"?`,
    ],
    [{ suite: ['wbe'] }, 'unknown suite "wbe", expected one of web, smoke; did you mean "web"?'],
    [
      { target: ['vms'] },
      'unknown kind of target "vms", expected one of vm, container, ssh, local, command; did you mean "vm"?',
    ],
    [
      { arch: ['arm64'], only: ['amd64/**'] },
      'no cell matches --arch "arm64" --only "amd64/**"; the cells are amd64/vm/web, amd64/vm/smoke, arm64/vm/web, arm64/vm/smoke, ppc64le/vm/web, ppc64le/vm/smoke',
    ],
  ])('%o', (filter, message) => {
    const act = () => filterCells(cells, filter);
    expect(act).toThrow(ConfigError);
    expect(act).toThrow(expect.objectContaining({ message }));
  });

  test('at most twenty cells are listed', () => {
    const many = cellsOf(...Array.from({ length: 9 }, (_, index) => `s${index}`));
    expect(() => filterCells(many, { only: ['x'] })).toThrow(/, ppc64le\/vm\/s0, ppc64le\/vm\/s1 and 7 more$/);
  });

  test('the result is a subset of the cells, in their order, and filtering again changes nothing', () => {
    const filter = fc.record({ arch: fc.subarray([...usualArchs]), suite: fc.subarray(['web', 'smoke']) });
    fc.assert(
      fc.property(filter, (chosen) => {
        const passed = filterCells(cells, chosen);
        expect(passed).toEqual(cells.filter((cell) => passed.includes(cell)));
        expect(filterCells(passed, { arch: chosen.arch })).toEqual(passed);
      }),
    );
  });
});
