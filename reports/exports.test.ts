import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { RunResult } from '../harness/events/result.ts';
import {
  benchmarkReports,
  exportLacks,
  renderActionBenchmark,
  renderBencher,
  renderCsv,
  renderGoBench,
} from './exports.ts';
import { renderReport } from './index.ts';

const run = foldEvents((await readEvents(join(import.meta.dirname, 'fixtures', 'events.jsonl'))).events);
const cell = run.cells.find(({ benchmarks }) => benchmarks.length > 0)!;
const benchmark = cell.benchmarks[0]!;

/** A run of one benchmark. */
function runOf(change: Partial<typeof benchmark>): RunResult {
  return { ...run, cells: [{ ...cell, benchmarks: [{ ...benchmark, ...change }] }] };
}

const one = runOf({
  name: 'a "quoted", name / of\n two lines',
  samplesMs: [4, 1, 3, 2, 5, 6],
  operations: 2,
  clock: 'guest',
});
const counted = runOf({ name: 'perl', samplesMs: [56.69], operations: 1, clock: 'instructions' });

test('CSV: one row per sample, in the order taken, read by another parser', () => {
  const rows = parse(renderCsv(one), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ value }) => Number(value))).toEqual([2e6, 5e5, 1.5e6, 1e6, 2.5e6, 3e6]);
  expect(rows[5]).toMatchObject({
    run: run.run,
    cell: cell.name,
    arch: cell.arch,
    accelerator: cell.facts!.accelerator,
    benchmark: 'a "quoted", name / of\n two lines',
    clock: 'guest',
    sample: '5',
    unit: 'ns',
  });
  const samples = run.cells.flatMap(({ benchmarks }) => benchmarks.flatMap(({ samplesMs }) => samplesMs));
  expect(parse(renderCsv(run), { columns: true })).toHaveLength(samples.length);
});

test('Bencher: the median with its interval in nanoseconds, or instructions', () => {
  const [[name, { latency }]] = Object.entries(JSON.parse(renderBencher(one))) as [
    [string, { latency: { value: number; lower_value: number; upper_value: number } }],
  ];
  expect(name).toBe(`${cell.name} › a "quoted", name / of\n two lines`);
  expect(latency.value).toBe(1.75e6);
  expect(latency.lower_value).toBeLessThan(latency.value);
  expect(latency.upper_value).toBeGreaterThan(latency.value);
  expect(Object.values(JSON.parse(renderBencher(counted)))).toEqual([{ instructions: { value: 56_690_000 } }]);
});

test('github-action-benchmark: smaller is better', () => {
  expect(JSON.parse(renderActionBenchmark(counted))).toEqual([
    {
      name: `${cell.name} › perl`,
      unit: 'instructions/op',
      value: 56_690_000,
      extra: '1 sample\nTCG, emulated',
    },
  ]);
  expect(JSON.parse(renderActionBenchmark(one))[0].range).toMatch(/^± \d/);
});

test('Go: one valid benchmark line per sample', () => {
  const lines = renderGoBench(one).trim().split('\n');
  const results = lines.filter((line) => line.startsWith('Benchmark'));
  expect(results).toHaveLength(6);
  // Name, iterations, then pairs of value and unit: golang/perf's benchfmt takes nothing else.
  for (const line of results) expect(line).toMatch(/^Benchmark[A-Z"]\S* [1-9]\d* \d+(\.\d+)? (ns|instructions)\/op$/);
  expect(results[0]).toContain(`/arch=${cell.arch}/target=${cell.target}/suite=${cell.suite} 2 2000000 ns/op`);
  for (const line of lines.filter((other) => !other.startsWith('Benchmark'))) expect(line).toMatch(/^[a-z]+: \S+$/);
});

/** `GET` in two files, in another of which two tests measure it, one of them twice; and names that Go's words make alike. */
const alike: RunResult = {
  ...run,
  cells: [
    {
      ...cell,
      benchmarks: (
        [
          ['small.bench.ts', 'GET', 'GET'],
          ['large.bench.ts', 'GET', 'GET'],
          ['large.bench.ts', 'cold', 'GET'],
          ['large.bench.ts', 'cold', 'GET'],
          ['large.bench.ts', 'a', 'get it'],
          ['large.bench.ts', 'b', 'GetIt'],
        ] as const
      ).map(([file, test, name], index) => ({ ...benchmark, file, test, name, operations: 1, samplesMs: [index + 1] })),
    },
  ],
};

test('benchmarks of one name get distinct names, and none is lost or pooled', () => {
  const bencher = JSON.parse(renderBencher(alike)) as Record<string, { latency: { value: number } }>;
  const medians = Object.values(bencher).map(({ latency }) => latency.value / 1e6);
  expect(medians).toEqual([1, 2, 3, 4, 5, 6]);
  expect(Object.keys(bencher).map((name) => name.slice(cell.name.length + 3))).toEqual([
    'small.bench.ts › GET',
    'large.bench.ts › GET › GET',
    'large.bench.ts › cold › GET',
    'large.bench.ts › cold › GET (2)',
    'get it',
    'GetIt',
  ]);
  const action = JSON.parse(renderActionBenchmark(alike)) as { name: string }[];
  expect(action.map(({ name }) => name)).toEqual(Object.keys(bencher));
  const go = renderGoBench(alike)
    .split('\n')
    .flatMap((line) => /^(Benchmark\S+) 1 /.exec(line)?.[1] ?? []);
  expect(new Set(go).size).toBe(6);
  expect(go[0]).toBe(`BenchmarkGET/arch=${cell.arch}/target=${cell.target}/suite=${cell.suite}/file=small.bench.ts`);
  const rows = parse(renderCsv(alike), { columns: true }) as Record<string, string>[];
  expect(rows.map((row) => `${row['file']} ${row['benchmark']}`)).toEqual([
    'small.bench.ts GET',
    'large.bench.ts GET › GET',
    'large.bench.ts cold › GET',
    'large.bench.ts cold › GET (2)',
    'large.bench.ts get it',
    'large.bench.ts GetIt',
  ]);
});

test.each(benchmarkReports)('$name: benchmarks without numbers are left out', ({ name }) => {
  const render = (of: RunResult) => renderReport(name, of);
  const empty = { ...run, cells: [] };
  expect(render(runOf({ samplesMs: [] }))).toBe(render(empty));
  expect(render(runOf({ samplesMs: [1, Number.NaN] }))).toBe(render(empty));
});

test('missing data are named: benchmarks without numbers, cells that did not measure, and everything', () => {
  expect(exportLacks(one)).toEqual([]);
  expect(exportLacks(runOf({ name: 'b', samplesMs: [] }))).toEqual([
    `${cell.name} ${benchmark.file} › b: it has no samples`,
  ]);
  expect(exportLacks(runOf({ name: 'b', samplesMs: [1, Number.NaN] }))[0]).toContain('a sample is no number');
  expect(exportLacks({ ...run, cells: run.cells.map((each) => ({ ...each, benchmarks: [] })) })).toEqual([
    `the run ${run.run} has no benchmarks`,
  ]);
  // Of the whole fixture: the suite measures, and this cell's machine died before it did.
  expect(exportLacks(run)).toEqual(['ppc64le/vm/web did not measure to its end: kernel panic in the step deploy']);
});
