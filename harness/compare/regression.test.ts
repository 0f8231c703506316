import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../bench/random.ts';
import { foldEvents } from '../events/fold.ts';
import { readEvents } from '../events/reader.ts';
import type { CellResult, RunResult } from '../events/result.ts';
import { compareRuns } from './regression.ts';

const root = join(import.meta.dirname, '../..');
const run = foldEvents((await readEvents(join(root, 'reports/fixtures/events.jsonl'))).events);
const cell = run.cells.find(({ benchmarks }) => benchmarks.length > 0)!;
const benchmark = cell.benchmarks[0]!;
const options = { minEffect: { times: 0.02, instructions: 0.005 }, alpha: 0.05 };

/** A run of one cell with these samples, by the names of the benchmarks. */
function runWith(samples: Readonly<Record<string, readonly number[]>>, change: Partial<CellResult> = {}): RunResult {
  const benchmarks = Object.entries(samples).map(([name, samplesMs]) => ({
    ...benchmark,
    name,
    samplesMs,
    operations: 1,
  }));
  return { ...run, cells: [{ ...cell, benchmarks, ...change }] };
}

/** Samples that are spread by about 1 %, the same for the same name. */
function around(centre: number, name: string, count = 12): number[] {
  const random = seededRandom(name);
  return Array.from({ length: count }, () => centre * (1 + 0.02 * (random() - 0.5)));
}

const changeOf = (base: RunResult, next: RunResult) => compareRuns(base, next, options)[0];

test.each([
  [1.1, 'maybe worse'],
  [1 / 1.1, 'maybe better'],
  [1, 'same'],
  [1.005, 'same'],
])('a median × %d is %s', (factor, change) => {
  expect(changeOf(runWith({ b: around(100, 'base') }), runWith({ b: around(100 * factor, 'new') }))).toMatchObject({
    change,
  });
});

test('a change about as large as the smallest that matters cannot be told', () => {
  const wide = (centre: number, name: string) => around(centre, name).map((ms, index) => ms * (1 + 0.1 * (index % 3)));
  expect(changeOf(runWith({ b: wide(100, 'base') }), runWith({ b: wide(103, 'new') }))).toMatchObject({
    change: 'cannot tell',
    reason: expect.stringContaining('spread too widely'),
  });
});

test('two runs of the same commit show no difference in 150 benchmarks', () => {
  const side = (name: string) =>
    runWith(
      Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`b${index}`, around(10, `${name} ${index}`)])),
    );
  const changes = compareRuns(side('one'), side('other'), options);
  expect(changes).toHaveLength(150);
  expect(changes.filter(({ change }) => change !== 'same' && change !== 'cannot tell')).toEqual([]);
});

test('a busy host during one run is not a change of the code, if its load was recorded', () => {
  const busy = (share?: number) => {
    const run = runWith({ b: around(300, 'busy') });
    const [cell] = run.cells;
    const benchmarks = cell!.benchmarks.map((one) => (share === undefined ? one : { ...one, waited: share }));
    return { ...run, cells: [{ ...cell!, benchmarks }] };
  };
  const idle = { ...runWith({ b: around(100, 'idle') }) };
  const known = {
    ...idle,
    cells: [{ ...idle.cells[0]!, benchmarks: [{ ...idle.cells[0]!.benchmarks[0]!, waited: 0 }] }],
  };
  expect(changeOf(known, busy(2 / 3))).toMatchObject({ change: 'same' });
  expect(changeOf(known, busy())).toMatchObject({ change: 'maybe worse', suspect: 'worse' });
  expect(changeOf(idle, busy(2 / 3))).toMatchObject({ change: 'maybe worse' });
});

test('a smaller change matters for a count than for a time', () => {
  const counts = (centre: number, name: string) => {
    const run = runWith({ b: around(centre, name).map((ms) => centre + (ms - centre) / 100) });
    const benchmarks = run.cells[0]!.benchmarks.map((one) => ({ ...one, clock: 'instructions' as const }));
    return { ...run, cells: [{ ...run.cells[0]!, benchmarks }] };
  };
  expect(changeOf(counts(100, 'one'), counts(101, 'other'))).toMatchObject({ change: 'maybe worse', suspect: 'worse' });
  expect(changeOf(counts(100, 'one'), counts(100.3, 'other'))).toMatchObject({ change: 'same' });
});

test.each<[string, RunResult, RunResult, string]>([
  ['a new benchmark', runWith({}), runWith({ b: around(1, 'x') }), 'the base has no figure for it'],
  ['one that is gone', runWith({ b: around(1, 'x') }), runWith({}), 'it has no figure any more'],
  ['few samples', runWith({ b: [1, 2, 3] }), runWith({ b: around(1, 'x') }), 'the base has 3 samples, and it takes 6'],
  ['no samples', runWith({ b: around(1, 'x') }), runWith({ b: [] }), 'the new run has 0 samples, and it takes 6'],
  [
    'no number',
    runWith({ b: around(1, 'x') }),
    runWith({ b: [...around(1, 'y'), Number.NaN] }),
    'a sample is no number',
  ],
  [
    'a clock that stands',
    runWith({ b: Array(10).fill(0) }),
    runWith({ b: Array(10).fill(0) }),
    'the clock is too coarse: its median is 0',
  ],
  [
    'another accelerator',
    runWith({ b: around(1, 'x') }),
    runWith({ b: around(1, 'y') }, { facts: { ...cell.facts!, accelerator: 'kvm' } }),
    'the accelerator was tcg, and is kvm',
  ],
  [
    'another host',
    runWith({ b: around(1, 'x') }),
    { ...runWith({ b: around(1, 'y') }), host: { ...run.host, cpu: 'another' } },
    `the host's processor was ${run.host.cpu}, and is another`,
  ],
])('%s cannot be told, and why', (_, base, next, reason) => {
  expect(changeOf(base, next)).toMatchObject({ change: 'cannot tell', reason });
});

test('the operation has to be the same: a request is not a MiB', () => {
  const of = (per?: string): RunResult => {
    const measured = { ...benchmark, name: 'b', operations: 1, samplesMs: around(100, 'b') };
    const { per: _per, ...unnamed } = measured;
    return { ...run, cells: [{ ...cell, benchmarks: [per === undefined ? unnamed : { ...measured, per }] }] };
  };
  expect(changeOf(of('request'), of('request'))).toMatchObject({ change: 'same' });
  expect(changeOf(of('request'), of('MiB'))).toMatchObject({
    change: 'cannot tell',
    reason: 'an operation was "request", and is "MiB"',
  });
  expect(changeOf(of(), of('MiB'))).toMatchObject({
    change: 'cannot tell',
    reason: 'an operation was not named, and is "MiB"',
  });
});

test('benchmarks that share a name are compared each with its own', () => {
  const of = (...centres: number[]): RunResult => {
    const benchmarks = centres.map((centre, index) => ({
      ...benchmark,
      ...{ file: `${index < 2 ? 'a' : 'b'}.bench.ts`, test: `t${index}`, name: 'GET', operations: 1 },
      samplesMs: around(centre, `${index}`),
    }));
    return { ...run, cells: [{ ...cell, benchmarks }] };
  };
  expect(compareRuns(of(10, 50, 90), of(10, 100, 90), options).map(({ change }) => change)).toEqual([
    'same',
    'maybe worse',
    'same',
  ]);
});
