import { describe, expect, test } from 'vitest';
import { comparePackages } from './packages.ts';
import type { PackageVersions } from './types.ts';

const list = (versions: Record<string, string>, more: Partial<PackageVersions> = {}): PackageVersions => ({
  release: 'trixie',
  asked: ['nginx'],
  versions,
  ...more,
});

describe('packages of a run', () => {
  test('differences between architectures are listed beside the packages that suites name', () => {
    const [found, ...others] = comparePackages([
      { packages: { ppc64le: list({ nginx: '1.26-3', libssl3: '3.5.8', zlib1g: '1.3' }) } },
      { packages: { amd64: list({ nginx: '1.26-3', libssl3: '3.5.9', zlib1g: '1.3' }) } },
      {},
    ]);
    expect(others).toEqual([]);
    expect(found).toEqual({
      release: 'trixie',
      archs: ['amd64', 'ppc64le'],
      count: 3,
      rows: [
        { name: 'libssl3', versions: { amd64: '3.5.9', ppc64le: '3.5.8' }, differs: true },
        { name: 'nginx', versions: { amd64: '1.26-3', ppc64le: '1.26-3' }, differs: false },
      ],
      missing: {},
    });
  });

  test('a rebuild of the same source, or a package of only one architecture, is not a difference', () => {
    const [found] = comparePackages([
      { packages: { amd64: list({ busybox: '1.37-6+b9', memtest: '7' }), arm64: list({ busybox: '1.37-6+b8' }) } },
    ]);
    expect(found?.rows).toEqual([]);
  });

  test('a later revision is a difference, even if it was rebuilt', () => {
    const [found] = comparePackages([
      { packages: { amd64: list({ docker: '26-9+deb13u1+b1' }), arm64: list({ docker: '26-9+b1' }) } },
    ]);
    expect(found?.rows.map(({ differs }) => differs)).toEqual([true]);
  });

  test('releases are compared separately', () => {
    const cells = [
      { packages: { amd64: list({ nginx: '1.26-3' }) } },
      { packages: { amd64: list({ nginx: '1.22-9' }, { release: 'bookworm', missing: ['bookworm-security'] }) } },
    ];
    expect(comparePackages(cells).map(({ release, rows, missing }) => [release, rows[0]!.versions, missing])).toEqual([
      ['trixie', { amd64: '1.26-3' }, {}],
      ['bookworm', { amd64: '1.22-9' }, { amd64: ['bookworm-security'] }],
    ]);
  });
});
