import { describe, expect, test } from 'vitest';
import { architectures } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import { absentFiles, absentPackages, withCurrentLists } from './absent.ts';

const SAID = [
  'E: Failed to fetch http://deb.debian.org/debian/pool/main/g/glibc/libc6_2.41-12%2bdeb13u5_ppc64el.deb  404  Not Found [IP: 203.0.113.80 80]',
  'E: Failed to fetch http://deb.debian.org/debian/pool/main/a/apt/apt_3.0.4_ppc64el.deb  404  Not Found [IP: 203.0.113.80 80]',
  'E: Failed to fetch http://deb.debian.org/debian/pool/main/z/zlib/zlib1g_1.3_ppc64el.deb  Hash Sum mismatch',
  'E: Some files failed to download',
];

const settings = { mirror: 'http://deb.debian.org/debian', release: 'trixie' } as const;
const absent = (listedAt: number, files = absentFiles(SAID)) =>
  absentPackages({ files, arch: architectures.ppc64le, settings, listedAt, cause: new Error('apt') });

test('files that the mirror lists but does not have are named, other failures are not', () => {
  expect(absentFiles(SAID)).toEqual(['libc6_2.41-12+deb13u5_ppc64el.deb', 'apt_3.0.4_ppc64el.deb']);
});

test('the error says whose fault it is, and what can be done', () => {
  const error = absent(Date.now());
  expect(error).toBeInstanceOf(InfraError);
  expect(error.message).toBe(
    'cannot download packages for ppc64le: http://deb.debian.org/debian lists libc6_2.41-12+deb13u5_ppc64el.deb and 1 other file of Debian trixie and does not have them',
  );
  expect(error.hint).toContain('--release bookworm');
  expect(absent(Date.now(), ['a_1_all.deb']).message).toMatch(
    / lists a_1_all\.deb of Debian trixie and does not have it$/,
  );
});

describe('the lists are fetched again', () => {
  const attempts = async (errors: readonly unknown[]) => {
    const left = [...errors];
    let count = 0;
    const work = async () => {
      count += 1;
      if (left.length > 0) throw left.shift();
      return 'built';
    };
    const outcome = await withCurrentLists(work).catch((error: unknown) => error);
    return { count, outcome };
  };
  const old = absent(Date.now() - 3_600_000);

  test('once, unless they were just fetched', async () => {
    expect(await attempts([old])).toEqual({ count: 2, outcome: 'built' });
    expect(await attempts([old, old])).toEqual({ count: 2, outcome: old });
  });

  test('not if they are new, and not for another error', async () => {
    const fresh = absent(Date.now());
    expect(await attempts([fresh])).toEqual({ count: 1, outcome: fresh });
    const other = new InfraError('cannot download');
    expect(await attempts([other])).toEqual({ count: 1, outcome: other });
  });
});
