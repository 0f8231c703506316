import { benchmarkLabels, hasMeasured } from '../harness/bench/measured.ts';
import { summarize } from '../harness/bench/statistics.ts';
import { distinctNames } from '../harness/events/identity.ts';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import { verdicts } from '../harness/events/verdicts.ts';
import { oneFile } from './report.ts';
import { acceleratorWords } from './words.ts';

/** A benchmark of a cell, by operation. */
export interface Figure {
  readonly cell: CellResult;
  readonly benchmark: CellResult['benchmarks'][number];
  /** Unique among the figures of the run. */
  readonly name: string;
  /** A unique name of the benchmark in its cell and file. */
  readonly label: string;
  /** `ns` or `instructions`, per operation. */
  readonly unit: 'ns' | 'instructions';
  /** In the order taken. */
  readonly values: readonly number[];
}

/** Benchmarks whose samples are all numbers: other tools take anything else for a measurement. */
export function figuresOf(run: RunResult): Figure[] {
  const figures = run.cells.flatMap((cell) => {
    const labels = benchmarkLabels(cell.benchmarks);
    return cell.benchmarks
      .map((benchmark, index) => ({
        cell,
        benchmark,
        label: labels[index]!,
        unit: benchmark.clock === 'instructions' ? ('instructions' as const) : ('ns' as const),
        values: benchmark.samplesMs.map((ms) => (ms * 1e6) / benchmark.operations),
      }))
      .filter(({ values }) => values.length > 0 && values.every((value) => Number.isFinite(value)));
  });
  const path = ({ cell, benchmark: { file, test, name } }: (typeof figures)[number], ...parts: ('file' | 'test')[]) =>
    [
      cell.name,
      ...(parts.includes('file') ? [file] : []),
      ...(parts.includes('test') && test ? [test] : []),
      name,
    ].join(' › ');
  // Other tools identify a benchmark by name alone, so a short unique name is kept.
  const names = distinctNames(figures, [
    (figure) => path(figure),
    (figure) => path(figure, 'file'),
    (figure) => path(figure, 'file', 'test'),
  ]);
  return figures.map((figure, index) => ({ ...figure, name: names[index]! }));
}

/** What is missing in an export, for people; empty if it has every measured benchmark, and at least one. */
export function exportLacks(run: RunResult): string[] {
  const exported = new Set(figuresOf(run).map(({ benchmark }) => benchmark));
  const all = run.cells.flatMap((cell) => cell.benchmarks.map((benchmark) => ({ cell, benchmark })));
  const left = all.filter(({ benchmark }) => !exported.has(benchmark));
  const measuring = new Set(all.map(({ cell }) => cell.suite));
  const unmeasured = run.cells.filter(
    (cell) => measuring.has(cell.suite) && !hasMeasured(cell) && verdicts[cell.verdict].junit !== 'skipped',
  );
  return [
    ...(all.length === 0 ? [`the run ${run.run} has no benchmarks`] : []),
    ...left.map(
      ({ cell, benchmark: { file, name, samplesMs } }) =>
        `${cell.name} ${file} › ${name}: ${samplesMs.length === 0 ? 'it has no samples' : 'a sample is no number'}`,
    ),
    ...unmeasured.map(({ name, verdict, reason }) => `${name} did not measure to its end: ${reason ?? verdict}`),
  ];
}

/**
 * Bencher Metric Format: the median with its interval, in nanoseconds as `latency`, or `instructions`.
 * Source: https://bencher.dev/docs/reference/bencher-metric-format/
 */
export function renderBencher(run: RunResult): string {
  const metrics = figuresOf(run).map(({ name, unit, values }) => {
    const { median, interval } = summarize(values, name);
    const bounds = interval ? { lower_value: interval.low, upper_value: interval.high } : {};
    return [name, { [unit === 'ns' ? 'latency' : 'instructions']: { value: median, ...bounds } }] as const;
  });
  return `${JSON.stringify(Object.fromEntries(metrics), null, 2)}\n`;
}

/**
 * The input of github-action-benchmark as `customSmallerIsBetter`.
 * Source: https://github.com/benchmark-action/github-action-benchmark#readme
 */
export function renderActionBenchmark(run: RunResult): string {
  const entries = figuresOf(run).map(({ cell, name, unit, values }) => {
    const { median, interval, count } = summarize(values, name);
    const half = interval ? (interval.high - interval.low) / 2 : undefined;
    return {
      name,
      unit: `${unit}/op`,
      value: median,
      ...(half === undefined ? {} : { range: `± ${half.toPrecision(3)}` }),
      extra: `${count} ${count === 1 ? 'sample' : 'samples'}\n${cell.facts ? acceleratorWords[cell.facts.accelerator] : 'accelerator unknown'}`,
    };
  });
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/**
 * Go's benchmark text, one line per sample, so that benchstat does its own statistics. Cell, architecture and kind of
 * target are keys in the name, from which `benchstat -col /arch` makes columns.
 * Source: https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md
 */
export function renderGoBench(run: RunResult): string {
  const figures = figuresOf(run);
  const path = ({ cell, benchmark }: Figure, more: Readonly<Record<string, string>> = {}) => {
    const keys = {
      arch: cell.arch,
      target: cell.target,
      suite: cell.suite,
      ...(cell.release === undefined ? {} : { release: cell.release }),
      ...more,
    };
    const words = benchmark.name.split(/[\s/]+/).filter((word) => word !== '');
    const name = `Benchmark${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}`;
    // A slash begins another key, a blank ends the name.
    return [name, ...Object.entries(keys).map(([key, value]) => `${key}=${value.replaceAll(/[\s/]+/g, '-')}`)].join(
      '/',
    );
  };
  const paths = distinctNames(
    figures,
    [
      (figure) => path(figure),
      (figure) => path(figure, { file: figure.benchmark.file }),
      (figure) => path(figure, { file: figure.benchmark.file, test: figure.benchmark.test ?? '' }),
    ],
    (name, times) => `${name}/number=${times}`,
  );
  const lines = figures.flatMap(({ benchmark, unit, values }, index) =>
    values.map((value) => `${paths[index]} ${benchmark.operations} ${decimal(value)} ${unit}/op`),
  );
  const commit = run.git ? [`commit: ${run.git.sha}`] : [];
  return [`run: ${run.run}`, ...commit, ...lines, ''].join('\n');
}

const COLUMNS = ['run', 'started', 'commit', 'cell', 'arch', 'target', 'suite', 'accelerator', 'file', 'benchmark'];

/** One row per sample; RFC 4180. `value` is per operation, in the unit beside it. */
export function renderCsv(run: RunResult): string {
  const rows = figuresOf(run).flatMap(({ cell, benchmark, label, unit, values }) =>
    values.map((value, index) => [
      ...[run.run, run.startedAt, run.git?.sha ?? '', cell.name, cell.arch, cell.target, cell.suite],
      ...[cell.facts?.accelerator ?? '', benchmark.file, label],
      ...[benchmark.clock, String(index), decimal(value), unit],
    ]),
  );
  return [[...COLUMNS, 'clock', 'sample', 'value', 'unit'], ...rows]
    .map((row) => `${row.map(field).join(',')}\r\n`)
    .join('');
}

/** The formats with only benchmarks: `harness export` prints them, `--report` writes them beside the others. */
export const benchmarkReports = [
  oneFile({
    name: 'bencher',
    path: 'benchmarks.bencher.json',
    about: 'benchmarks for Bencher',
    benchmarks: true,
    render: renderBencher,
  }),
  oneFile({
    name: 'github-action-benchmark',
    path: 'benchmarks.github-action.json',
    about: 'benchmarks for github-action-benchmark',
    benchmarks: true,
    render: renderActionBenchmark,
  }),
  oneFile({
    name: 'go',
    path: 'benchmarks.go.txt',
    about: "benchmarks in Go's format, for benchstat",
    benchmarks: true,
    render: renderGoBench,
  }),
  oneFile({
    name: 'csv',
    path: 'benchmarks.csv',
    about: 'benchmarks, one row per sample',
    benchmarks: true,
    render: renderCsv,
  }),
];

/** Without an exponent, which not every reader accepts. */
function decimal(value: number): string {
  return value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 6 });
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
