import { execFileSync } from 'node:child_process';
import parsePrometheus from 'parse-prometheus-text-format';
import { expect, test } from 'vitest';
import { summarize } from '../harness/bench/statistics.ts';
import { fixtureRun, hostileRun } from './fixtures/run.ts';
import { renderOpenMetrics } from './openmetrics.ts';

const run = await fixtureRun();

test('the median of each benchmark of each cell is a metric, in seconds', () => {
  const families = parsePrometheus(renderOpenMetrics(run));
  const medians = families.find(({ name }) => name === 'harness_benchmark_median_seconds')!.metrics;
  const figures = run.cells.flatMap((cell) => cell.benchmarks.map((benchmark) => ({ cell, benchmark })));
  expect(medians).toHaveLength(figures.length);
  const [{ cell, benchmark }] = figures as [(typeof figures)[number]];
  const { median } = summarize(
    benchmark.samplesMs.map((ms) => ms / benchmark.operations),
    'x',
  );
  expect(Number(medians[0]!.value)).toBeCloseTo(median / 1000, 12);
  expect(medians[0]!.labels).toMatchObject({
    cell: cell.name,
    arch: cell.arch,
    accelerator: 'tcg',
    clock: benchmark.clock,
  });
});

test('counted instructions are not seconds', () => {
  const cell = run.cells.find(({ benchmarks }) => benchmarks.length > 0)!;
  const [benchmark] = cell.benchmarks;
  const counted = { ...benchmark!, clock: 'instructions', samplesMs: [2], operations: 1 } as const;
  const families = parsePrometheus(renderOpenMetrics({ ...run, cells: [{ ...cell, benchmarks: [counted] }] }));
  const names = families.map(({ name }) => name);
  expect(names).toContain('harness_benchmark_median_instructions');
  expect(names).not.toContain('harness_benchmark_median_seconds');
  expect(families.find(({ name }) => name === 'harness_benchmark_median_instructions')!.metrics[0]!.value).toBe(
    '2000000',
  );
});

function hasClient(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import prometheus_client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.runIf(hasClient()).each([
  ['the run of the goldens', run],
  ['what a guest may print', hostileRun(run)],
  ['a run without cells', { ...run, cells: [] }],
])("Prometheus' own parser of OpenMetrics takes it: %s", (_, of) => {
  const script = `import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
print(json.dumps([[family.name, len(family.samples)] for family in parse(sys.stdin.read())]))`;
  const read = execFileSync('/usr/bin/python3', ['-c', script], { input: renderOpenMetrics(of), encoding: 'utf8' });
  const lines = renderOpenMetrics(of)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const families = JSON.parse(read) as [string, number][];
  expect(families.reduce((sum, [, samples]) => sum + samples, 0)).toBe(lines.length);
  expect(families[0]).toEqual(['harness_run', 1]);
});
