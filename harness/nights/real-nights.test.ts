import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Night } from './night.ts';
import { trendsOf } from './trends.ts';

/**
 * Real nights of the suite `web`, by `npm run bench:nights` on a host that other work kept so busy that times lie up to
 * 27-fold apart (from the 16th on amd64 alone, for want of time). The 14th is the first with a checksum over each of
 * the application's answers, the 23rd the first with a hundred rewrite rules in nginx.
 */
const nights = (await readFile(join(import.meta.dirname, 'fixtures/nights.jsonl'), 'utf8'))
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Night);

test('both changes are found on their third night, and no page of any night shows a third', () => {
  for (let count = 1; count <= nights.length; count++) {
    const { groups } = trendsOf(nights.slice(0, count));
    const expected = [23, 14].filter((night) => count >= night + 2);
    expect(
      groups.map(({ first }) => first + 1),
      `after ${count} nights`,
    ).toEqual(expected);
  }
});

test('each change is shown for the benchmarks that it affected', () => {
  const [rewrites, checksum] = trendsOf(nights).groups;
  const by = (group: typeof rewrites) =>
    group!.members.map(
      ({ trend: { series }, change }) => `${series.arch} ${series.name} ${(100 * (change.ratio - 1)).toFixed(1)} %`,
    );
  expect(by(checksum)).toEqual(['amd64 application, counted 9.5 %']);
  expect(by(rewrites).sort()).toEqual(['amd64 application, counted 0.7 %', 'amd64 static page, counted 1.0 %']);
});

test('on its first night a change of counts is to be watched, on every architecture', () => {
  const suspects = (count: number) =>
    trendsOf(nights.slice(0, count))
      .trends.filter(({ suspect, series }) => suspect && series.clock === 'instructions')
      .map(({ series }) => `${series.arch} ${series.name}`);
  expect(suspects(13)).toEqual([]);
  expect(suspects(14)).toEqual(['amd64', 'arm64', 'ppc64le'].map((arch) => `${arch} application, counted`));
});
