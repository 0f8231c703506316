import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InfraError } from '../base/errors.ts';
import { areFresh, type FetchedLists, freshLists, isFresh, outdate } from './package-lists.ts';

describe('package lists', () => {
  const at = '2026-11-20T10:00:00.000Z';
  const later = (hours: number) => Date.parse(at) + hours * 3_600_000;
  const left = { sources: ['deb http://mirror.example bookworm-security main'], why: 'Mirror sync in progress?' };

  test('are kept as long as they are young', () => {
    expect(areFresh({ at, by: 'a', sources: [] }, 24, later(23), 'b')).toBe(true);
    expect(areFresh({ at, by: 'a', sources: [] }, 24, later(25), 'b')).toBe(false);
  });

  test('that are incomplete are fetched again by the next run, but not by each cell of this one', () => {
    expect(areFresh({ at, by: 'a', sources: [], left }, 24, later(0.1), 'b')).toBe(false);
    expect(areFresh({ at, by: 'a', sources: [], left }, 24, later(0.1), 'a')).toBe(true);
  });

  test('of an older harness, without time and process, are fetched again', () => {
    expect(areFresh({ sources: [] } as unknown as FetchedLists, 24, later(0.1), 'a')).toBe(false);
  });
});

const line = (suite: string, beside = '') =>
  `deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian${beside} ${suite} main`;
const [MAIN, UPDATES, SECURITY] = [line('trixie'), line('trixie-updates'), line('trixie-security', '-security')];
const list = (suite: string, beside = '') =>
  `E: Failed to fetch http://mirror.example/debian${beside}/dists/${suite}/main/binary-ppc64el/Packages.xz  File has unexpected size (720 != 1108). Mirror sync in progress?`;

/** A mirror that serves some sources only: what apt-get update does with the sources.list that it finds. */
async function fetched(served: readonly string[], complaints: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'harness-lists-'));
  await mkdir(join(folder, 'etc'));
  const stamp = join(folder, 'refreshed.json');
  const update = async () => {
    const wanted = (await readFile(join(folder, 'etc', 'sources.list'), 'utf8')).trim().split('\n');
    if (wanted.some((source) => !served.includes(source)))
      throw new InfraError(
        `cannot fetch the package lists: apt-get update: it exited with 100\n${complaints.join('\n')}`,
      );
  };
  // Gives up at once: this mirror will not change.
  const fetching = { refreshHours: 24, update, retryMs: 0 };
  const lists = async () => {
    await freshLists(stamp, [MAIN, UPDATES, SECURITY], fetching);
    return JSON.parse(await readFile(stamp, 'utf8')) as FetchedLists;
  };
  return {
    stamp,
    lists,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

describe('of a mirror in mid-sync', () => {
  test('only unavailable lists are left out', async () => {
    await using mirror = await fetched([MAIN, SECURITY], [list('trixie-updates')]);
    expect(await mirror.lists()).toMatchObject({
      sources: [MAIN, SECURITY],
      left: { sources: [UPDATES], why: expect.stringContaining('trixie-updates/main/binary-ppc64el') },
    });
  });

  test('several are left out together', async () => {
    await using mirror = await fetched([MAIN], [list('trixie-updates'), list('trixie-security', '-security')]);
    expect(await mirror.lists()).toMatchObject({ sources: [MAIN], left: { sources: [UPDATES, SECURITY] } });
  });

  test('the last one is dropped first if apt does not name the failed one', async () => {
    await using mirror = await fetched([MAIN, UPDATES], ['E: Could not resolve the mirror']);
    expect(await mirror.lists()).toMatchObject({ sources: [MAIN, UPDATES], left: { sources: [SECURITY] } });
  });

  test("the release's own list is never left out", async () => {
    await using mirror = await fetched([UPDATES, SECURITY], [list('trixie')]);
    await expect(mirror.lists()).rejects.toThrow('dists/trixie/main');
  });
});

test('lists that name removed packages are fetched again, even by the process that fetched them', async () => {
  await using mirror = await fetched([MAIN, UPDATES, SECURITY], []);
  await mirror.lists();
  expect(await isFresh(mirror.stamp, { refreshHours: 24 })).toBe(true);
  await outdate(mirror.stamp);
  expect(await isFresh(mirror.stamp, { refreshHours: 24 })).toBe(false);
});
