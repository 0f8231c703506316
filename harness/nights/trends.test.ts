import { median } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../bench/random.ts';
import type { BenchClock } from '../events/types.ts';
import { commonMode } from './common-mode.ts';
import type { Figure, Night } from './night.ts';
import { seriesOf } from './series.ts';
import { trendsOf } from './trends.ts';

const NAMES = ['static page', 'application', 'SET', 'SHA-256', 'gzip', 'perl loop'];
const ARCHS = ['amd64', 'arm64', 'ppc64le'] as const;

interface Plan {
  readonly nights: number;
  /** How much a figure differs from its level, as a factor. */
  readonly level?: (name: string, arch: string, night: number, clock: BenchClock) => number;
  /** How slow the machine of a cell is. */
  readonly machine?: (night: number) => number;
  readonly edit?: (figure: Figure, night: number, arch: string) => Figure | undefined;
}

/** Nights of three cells with six timed and six counted benchmarks each, and noise of 3 % and 0.03 %. */
function nightsOf({ nights, level = () => 1, machine = () => 1, edit = (figure) => figure }: Plan): Night[] {
  const random = seededRandom('nights');
  const noise = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: nights }, (_, night) => ({
    run: `run-${night}`,
    startedAt: new Date(Date.UTC(2026, 0, 1 + night, 3)).toISOString(),
    matrix: 'nightly',
    git: { sha: night.toString(16).padStart(40, 'a'), dirty: false },
    state: 'passed',
    exitCode: 0,
    durationMs: 60_000,
    tests: 12,
    cells: ARCHS.map((arch) => ({
      name: `${arch}/vm/web`,
      arch,
      target: 'vm',
      suite: 'web',
      voting: true,
      verdict: 'passed',
      durationMs: 60_000,
      steps: [],
      tests: [],
      accelerator: 'tcg',
      figures: (['guest', 'instructions'] as const).flatMap((clock) =>
        NAMES.flatMap((name, at) => {
          const counted = clock === 'instructions';
          const median =
            (at + 1) *
            level(name, arch, night, clock) *
            (counted ? 1 : machine(night)) *
            Math.exp((counted ? 0.0003 : 0.03) * noise());
          return (
            edit(
              {
                file: 'web.bench.ts',
                name,
                clock,
                machine: 'max',
                operations: 1,
                median,
                interval: [median * 0.98, median * 1.03],
              },
              night,
              arch,
            ) ?? []
          );
        }),
      ),
    })),
  }));
}

describe('two changes in 40 nights of 36 series', () => {
  const level: Plan['level'] = (name, _arch, night, clock) =>
    (name === 'application' && night >= 15 ? 1.25 : 1) *
    (name === 'static page' && clock === 'instructions' && night >= 28 ? 1.01 : 1);

  test('are found with their commits, and no others', () => {
    const nights = nightsOf({ nights: 40, level });
    const { groups } = trendsOf(nights);
    expect(groups.map(({ lastBefore, first }) => [lastBefore, first])).toEqual([
      [27, 28],
      [14, 15],
    ]);
    expect(groups[1]!.members).toHaveLength(6);
    // Counts come first: their place is exact.
    expect(groups[1]!.members.map(({ trend }) => trend.series.clock)).toEqual([
      ...new Array(3).fill('instructions'),
      ...new Array(3).fill('guest'),
    ]);
    expect(groups[0]!.members.map(({ trend }) => trend.series.name)).toEqual(new Array(3).fill('static page'));
    expect(groups.map(({ isNew }) => isNew)).toEqual([false, false]);
  });

  test('also when the host is twice as slow in every third night, and for ten nights in a row', () => {
    const machine = (night: number) => (night % 3 === 0 ? 2 : 1) * (night >= 18 && night < 28 ? 1.6 : 1);
    const { groups, machines } = trendsOf(nightsOf({ nights: 40, level, machine }));
    expect(groups.map(({ lastBefore, first }) => [lastBefore, first])).toEqual([
      [27, 28],
      [14, 15],
    ]);
    for (const { factors } of machines) expect(factors[21]! / factors[22]!).toBeCloseTo(2, 0);
  });

  test('are new in the night that makes them certain, and not in the next', () => {
    const newOn = [29, 30, 31, 32, 33].filter((nights) =>
      trendsOf(nightsOf({ nights, level })).groups.some(({ isNew }) => isNew),
    );
    // Night 28 is the 29th; the third one that has it makes 31.
    expect(newOn).toEqual([31]);
  });
});

test('a benchmark far from its level is a suspect until it is certain', () => {
  const level: Plan['level'] = (name, arch, night, clock) =>
    name === 'gzip' && arch === 'arm64' && clock === 'guest' && night >= 28 ? 1.8 : 1;
  const { trends, groups } = trendsOf(nightsOf({ nights: 30, level }));
  const suspects = trends.filter(({ suspect }) => suspect);
  expect(groups).toEqual([]);
  expect(suspects.map(({ series, suspect }) => [series.name, series.arch, suspect!.nights])).toEqual([
    ['gzip', 'arm64', 2],
  ]);
  expect(suspects[0]!.suspect!.ratio).toBeCloseTo(1.8, 0);
});

test('a slowdown of all timed benchmarks of a cell is its machine, not a change of any of them', () => {
  const { groups, machines } = trendsOf(nightsOf({ nights: 40, machine: (night) => (night >= 20 ? 1.5 : 1) }));
  expect(groups).toEqual([]);
  for (const { factors } of machines) expect(factors[30]! / factors[10]!).toBeCloseTo(1.5, 1);
});

test('the common factor needs five benchmarks, and a single change hardly moves it', () => {
  const nights = 20;
  const series = (count: number) =>
    Array.from(
      { length: count },
      (_, at) =>
        new Map(
          Array.from({ length: nights }, (_, night) => [
            night,
            (at + 1) * (night === 7 ? 3 : 1) * (at === 0 && night > 10 ? 10 : 1),
          ]),
        ),
    );
  expect(commonMode(series(4), nights)).toEqual(new Array(nights).fill(undefined));
  const common = commonMode(series(5), nights);
  expect(common[7]).toBeCloseTo(3);
  for (const night of [0, 11, 19]) expect(common[night]).toBeCloseTo(1);
});

describe.each([20, 28])('a step of 15 % in four of twelve benchmarks from night %i of 40 on', (at) => {
  const touched = (name: string) => Number(name) < 4;
  const nights = (seed: string) => {
    const random = seededRandom(seed);
    const noise = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return nightsOf({ nights: 40 }).map((night, index): Night => {
      const busy = Math.exp(0.08 * noise()) * (index % 7 === 0 ? 1.5 : 1);
      const figures = Array.from({ length: 12 }, (_, number): Figure => {
        const step = touched(`${number}`) && index >= at ? 1.15 : 1;
        const median = (number + 1) * busy * step * Math.exp(0.03 * noise());
        return { file: 'f', name: `${number}`, clock: 'guest', machine: 'max', operations: 1, median };
      });
      return { ...night, cells: [{ ...night.cells[0]!, figures }] };
    });
  };
  const histories = Array.from({ length: 10 }, (_, seed) => trendsOf(nights(`step ${seed}`)));

  test('is shown in full, not reduced by the common factor', () => {
    for (const { trends } of histories)
      for (const { series, changes } of trends.filter((trend) => touched(trend.series.name))) {
        const [change] = changes.filter(({ first }) => Math.abs(first - at) <= 3);
        expect(change, series.name).toBeDefined();
        expect(change!.ratio).toBeGreaterThan(1.09);
      }
    const ratios = histories.flatMap(({ trends }) =>
      trends.filter(({ series }) => touched(series.name)).map(({ changes }) => changes[0]!.ratio),
    );
    expect(median(ratios)).toBeCloseTo(1.15, 1.5);
  });

  test('changes none of the other eight', () => {
    const changed = histories.flatMap(({ trends }) =>
      trends.filter(({ series, changes }) => !touched(series.name) && changes.length > 0),
    );
    expect(changed.map(({ series, changes }) => [series.name, changes])).toEqual([]);
  });
});

test('the measured ratio is shown beside the adjusted one', () => {
  const level: Plan['level'] = (name, _arch, night, clock) =>
    name === 'application' && clock === 'guest' && night >= 20 ? 1.3 : 1;
  const { groups } = trendsOf(nightsOf({ nights: 40, level, machine: (night) => (night >= 20 ? 1.5 : 1) }));
  const [group, ...others] = groups;
  expect(others).toEqual([]);
  for (const { change } of group!.members) {
    expect(change.ratio).toBeCloseTo(1.3, 1);
    expect(change.rawRatio / change.ratio).toBeCloseTo(1.5, 1);
  }
});

test('no third of the benchmarks moves the common factor, however far they go', () => {
  const random = seededRandom('third');
  const noise = Array.from({ length: 12 * 40 }, () => Math.exp(0.02 * (random() - 0.5)));
  const factors = (far: number) =>
    commonMode(
      Array.from(
        { length: 12 },
        (_, at) =>
          new Map(
            Array.from({ length: 40 }, (_, night) => [
              night,
              noise[at * 40 + night]! * (at < 4 && (night === 7 || night >= 30) ? far : 1),
            ]),
          ),
      ),
      40,
    );
  for (const far of [0.001, 0.5, 0.8, 1, 1.2, 2, 1000])
    for (const factor of factors(far)) expect(Math.abs(factor! - 1), `${far}`).toBeLessThan(0.015);
});

test('another machine is another series, and the difference between them is not a change', () => {
  const nights = nightsOf({
    nights: 40,
    level: (_name, _arch, night) => (night >= 20 ? 3 : 1),
    edit: (figure, night) => ({ ...figure, machine: night >= 20 ? 'faster' : 'max' }),
  });
  const { trends, groups } = trendsOf(nights);
  expect(groups).toEqual([]);
  expect(trends).toHaveLength(72);
});

test('another number of operations a sample is another series on the same machine', () => {
  const nights = nightsOf({ nights: 4, edit: (figure, night) => ({ ...figure, operations: night >= 2 ? 10 : 1 }) });
  const { series, machines } = seriesOf(nights);
  expect(series.map(({ points }) => points.length)).toEqual(new Array(72).fill(2));
  expect(machines).toHaveLength(3);
});

test('nights without a figure are gaps with a reason, and the series continues', () => {
  const nights = nightsOf({
    nights: 12,
    edit: (figure, night, arch) => {
      if (arch !== 'arm64' || figure.name !== 'SET') return figure;
      const { median: _median, interval: _interval, ...rest } = figure;
      return night === 4 ? { ...rest, problem: 'a sample is no number' } : night === 5 ? undefined : figure;
    },
  });
  const [series] = seriesOf(nights).series.filter(
    ({ arch, name, clock }) => arch === 'arm64' && name === 'SET' && clock === 'guest',
  );
  expect(series!.points.map(({ night }) => night)).toEqual([0, 1, 2, 3, 6, 7, 8, 9, 10, 11]);
  expect(series!.gaps).toEqual([{ night: 4, reason: 'a sample is no number' }]);
});

test('few nights, or none, have no changes', () => {
  for (const nights of [0, 1, 2, 5]) expect(trendsOf(nightsOf({ nights })).groups).toEqual([]);
});
