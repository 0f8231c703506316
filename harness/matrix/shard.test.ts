import fc from 'fast-check';
import { expect, test } from 'vitest';
import { githubMatrix } from './github.ts';
import { parseRunners } from './jobs.ts';
import { parseShard, shardOf } from './shard.ts';

const cells = (...names: string[]) => names.map((name) => ({ name, arch: name.split('/')[0]! }));

test('the longest cell gets its own shard, the short ones share', () => {
  const all = cells('a/vm/x', 'b/vm/x', 'c/vm/x', 'd/vm/x');
  const durations = new Map([
    ['a/vm/x', 100],
    ['b/vm/x', 30],
    ['c/vm/x', 40],
    ['d/vm/x', 20],
  ]);
  expect(shardOf(all, { index: 1, count: 2 }, durations).map(({ name }) => name)).toEqual(['a/vm/x']);
  expect(shardOf(all, { index: 2, count: 2 }, durations).map(({ name }) => name)).toEqual([
    'b/vm/x',
    'c/vm/x',
    'd/vm/x',
  ]);
});

test('every cell is in one shard, and none takes longer than 4/3 of the best division', () => {
  const sizes = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}$/), fc.integer({ min: 1, max: 1000 })), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 8 }), (sized, count) => {
      const all = sized.map(([name]) => ({ name }));
      const durations = new Map(sized);
      const shards = Array.from({ length: count }, (_, index) => shardOf(all, { index: index + 1, count }, durations));
      expect(
        shards
          .flat()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(all.map(({ name }) => name).sort());
      const total = sized.reduce((sum, [, ms]) => sum + ms, 0);
      const longest = Math.max(...sized.map(([, ms]) => ms));
      const loads = shards.map((shard) => shard.reduce((sum, { name }) => sum + durations.get(name)!, 0));
      // List scheduling: less than the mean and one more cell.
      expect(Math.max(...loads)).toBeLessThanOrEqual(total / count + longest);
    }),
  );
});

test('a cell that was never timed takes the median', () => {
  const all = cells('a/vm/x', 'b/vm/x', 'new/vm/x');
  const durations = new Map([
    ['a/vm/x', 10],
    ['b/vm/x', 12],
  ]);
  expect(shardOf(all, { index: 2, count: 2 }, durations).map(({ name }) => name)).toEqual(['new/vm/x']);
});

test('no shard is empty if there are enough cells, whatever the durations', () => {
  const odd = fc.constantFrom(0, -0, Number.NaN, -5, Number.POSITIVE_INFINITY, undefined, 0.001, 1e300);
  fc.assert(
    fc.property(fc.array(odd, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 20 }), (durations, count) => {
      fc.pre(count <= durations.length);
      const all = durations.map((_, index) => ({ name: `c${index}` }));
      const known = new Map(
        durations.flatMap((ms, index): [string, number][] => (ms === undefined ? [] : [[`c${index}`, ms]])),
      );
      const shards = Array.from({ length: count }, (_, index) => shardOf(all, { index: index + 1, count }, known));
      expect(shards.map((shard) => shard.length)).not.toContain(0);
      expect(shards.flat()).toHaveLength(all.length);
    }),
  );
  // And what takes no time is shared as evenly as what does.
  const zeros = cells('a', 'b', 'c', 'd');
  const none = new Map(zeros.map(({ name }) => [name, 0]));
  expect([1, 2].map((index) => shardOf(zeros, { index, count: 2 }, none).length)).toEqual([2, 2]);
});

test.each(['', '1', '0/2', '3/2', '1/0', 'a/b', '1/2/3', '-1/2'])('--shard %j is refused', (text) => {
  expect(() => parseShard(text)).toThrow('expected i/n');
});

test('a GitHub matrix: one job a cell, on the runner of its architecture', () => {
  const runners = parseRunners(['aarch64=ubuntu-24.04-arm'], (name) => (name === 'aarch64' ? 'arm64' : undefined));
  const imagesKey = (some: readonly { name: string }[]) => `key-of-${some.length}`;
  const words = ({ cells = [], shard = '' }: { cells?: readonly string[]; shard?: string }) => [
    ...cells.flatMap((name) => ['--only', name]),
    ...(shard ? ['--shard', shard] : []),
  ];
  const options = { runners, defaultRunner: 'ubuntu-24.04', imagesKey, words };
  expect(githubMatrix(cells('arm64/vm/web', 'amd64+arm64/vm/swarm'), options)).toEqual({
    include: [
      {
        id: 'arm64-vm-web',
        name: 'arm64/vm/web',
        runner: 'ubuntu-24.04-arm',
        args: '--only arm64/vm/web',
        cacheKey: 'harness-arm64-key-of-1',
      },
      {
        id: 'amd64+arm64-vm-swarm',
        name: 'amd64+arm64/vm/swarm',
        runner: 'ubuntu-24.04',
        args: '--only amd64+arm64/vm/swarm',
        cacheKey: 'harness-amd64+arm64-key-of-1',
      },
    ],
  });
  // No more shards than cells: an empty job is none.
  expect(githubMatrix(cells('a/vm/x', 'b/vm/x'), { ...options, shards: 5 }).include.map(({ args }) => args)).toEqual([
    '--shard 1/2',
    '--shard 2/2',
  ]);
  const many = cells(...Array.from({ length: 257 }, (_, index) => `a/vm/s${index}`));
  expect(() => githubMatrix(many, options)).toThrow('257 jobs: it may have at most 256');
  expect(githubMatrix(many, { ...options, shards: 10 }).include).toHaveLength(10);
});

test.each(['arm64', 'arm64=', 'z80=x', 'arm64=a b', 'arm64=$(id)'])('--runner %j is refused', (text) => {
  expect(() => parseRunners([text], (name) => (name === 'arm64' ? 'arm64' : undefined))).toThrow('ARCH=LABEL');
});
