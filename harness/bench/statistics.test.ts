import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArchName } from '../arch/index.ts';
import type { CellResult } from '../events/result.ts';
import type { Accelerator } from '../events/types.ts';
import { compareToControl } from './comparison.ts';
import { seededRandom } from './random.ts';
import { outliers, ratioOfMedians, scaledMad, summarize, throughput } from './statistics.ts';

const noise = (count: number, centre: number, seed: string): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => centre * (0.9 + 0.2 * random()));
};

test('figures of a textbook example', () => {
  expect(scaledMad([1, 1, 2, 2, 4, 6, 9])).toBeCloseTo(1.4826);
  expect(summarize([1, 1, 2, 2, 4, 6, 9], 'x')).toMatchObject({ count: 7, min: 1, max: 9, median: 2 });
  expect(throughput(50, 100)).toBe(2000);
});

test('below six samples there is no interval', () => {
  expect(summarize([1, 2, 3, 4, 5], 'x')).not.toHaveProperty('interval');
  expect(summarize([1, 2, 3, 4, 5, 6], 'x')).toHaveProperty('interval');
  expect(ratioOfMedians([2, 2, 2], [1, 1, 1], 'x')).toEqual({ ratio: 2 });
  expect(() => summarize([], 'nothing')).toThrow('cannot summarize nothing: there are no samples');
});

test('the same name gives the same interval, which holds the median', () => {
  const samples = noise(40, 10, 'samples');
  expect(summarize(samples, 'a')).toEqual(summarize(samples, 'a'));
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 40 }),
      (values) => {
        const { median, interval, min, max } = summarize(values, 'p');
        expect(interval!.low).toBeLessThanOrEqual(median);
        expect(interval!.high).toBeGreaterThanOrEqual(median);
        expect(interval!.low).toBeGreaterThanOrEqual(min);
        expect(interval!.high).toBeLessThanOrEqual(max);
      },
    ),
    { numRuns: 20 },
  );
});

test('the interval contains the true median about 95 times in 100', () => {
  const trials = 200;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { interval } = summarize(noise(25, 10, `trial ${trial}`), `seed ${trial}`);
    if (interval!.low <= 10 && 10 <= interval!.high) held++;
  }
  expect(held / trials).toBeGreaterThan(0.9);
});

test('outliers are named by position', () => {
  expect(outliers([10, 11, 9, 10, 50, 10.5, 9.5])).toEqual([4]);
  expect(outliers([5, 5, 5, 5, 5, 5, 5, 5, 9])).toEqual([8]);
  expect(outliers([5, 5, 5])).toEqual([]);
  expect(outliers([])).toEqual([]);
});

test('a ratio of medians', () => {
  const { ratio, interval } = ratioOfMedians(noise(30, 20, 'a'), noise(30, 10, 'b'), 'x')!;
  expect(ratio).toBeCloseTo(2, 0);
  expect(interval!.low).toBeLessThan(ratio);
  expect(interval!.high).toBeGreaterThan(ratio);
  expect(ratioOfMedians([1], [0], 'x')).toBeUndefined();
});

const cellOf = (
  arch: ArchName,
  accelerator: Accelerator | undefined,
  centre: number,
  clock: 'guest' | 'controller' = 'guest',
): CellResult => ({
  name: `${arch}/vm/web`,
  arch,
  target: 'vm',
  suite: 'web',
  voting: true,
  verdict: 'passed',
  durationMs: 1,
  steps: [],
  tests: [],
  logs: [],
  artifacts: [],
  ...(accelerator ? { facts: { arch, kind: 'vm', accelerator, cpu: 'c', vcpus: 1, memoryBytes: 1 } } : {}),
  benchmarks: [
    {
      name: 'SET',
      file: 'b.ts',
      clock,
      samplesMs: noise(10, centre, arch),
      operations: 10,
      per: 'SET',
      warmupSamples: 0,
      warnings: [],
    },
  ],
});
const compare = (...cells: CellResult[]) =>
  compareToControl(cells, 'amd64')[0]!.results.map(({ toControl }) => toControl);

test('two native sides are divided, the control comes first', () => {
  const [{ results }] = compareToControl([cellOf('arm64', 'kvm', 20), cellOf('amd64', 'native', 10)], 'amd64') as [
    ReturnType<typeof compareToControl>[0],
  ];
  expect(results.map(({ arch }) => arch)).toEqual(['amd64', 'arm64']);
  expect(results[0]).toMatchObject({ toControl: { state: 'control' }, throughput: expect.closeTo(1000, -2) });
  expect(results[1]!.toControl).toMatchObject({ state: 'compared', ratio: expect.closeTo(2, 0) });
  expect(results[1]!.toControl).not.toHaveProperty('words');
});

test('two emulated sides are divided with a warning', () => {
  expect(compare(cellOf('amd64', 'tcg', 10), cellOf('arm64', 'tcg', 20))[1]).toMatchObject({
    state: 'compared',
    words: 'both are emulated, so this compares emulators and not processors',
  });
});

test('a native and an emulated figure are never divided', () => {
  const reason = (...cells: CellResult[]) => compare(...cells).at(-1);
  expect(reason(cellOf('amd64', 'kvm', 10), cellOf('arm64', 'tcg', 20))).toEqual({
    state: 'not-comparable',
    reason: 'arm64 ran under tcg and amd64 under kvm: emulated and native times are not divided',
  });
  expect(reason(cellOf('amd64', 'tcg', 10), cellOf('arm64', 'qemu-user', 20))).toMatchObject({
    reason: 'qemu-user and tcg are different ways to emulate',
  });
  expect(reason(cellOf('amd64', 'tcg', 10), cellOf('arm64', undefined, 20))).toMatchObject({
    reason: 'the accelerator of arm64/vm/web is not known',
  });
  expect(reason(cellOf('amd64', 'tcg', 10), cellOf('arm64', 'tcg', 20, 'controller'))).toMatchObject({
    reason: 'it was timed by the controller, on amd64 by the guest',
  });
  expect(reason(cellOf('arm64', 'tcg', 20))).toMatchObject({ reason: 'amd64 has no figure for it' });
});
