import { hasMeasured } from '../harness/bench/measured.ts';
import { summarize } from '../harness/bench/statistics.ts';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import { figuresOf } from './exports.ts';
import { oneFile } from './report.ts';
import { visible } from './text.ts';

type Labels = Readonly<Record<string, string | undefined>>;

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'info';
  readonly unit?: string;
  readonly help: string;
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

/**
 * OpenMetrics text: medians of benchmarks with their intervals, and results of tests and cells. Without timestamps, as
 * required by GitLab's metrics reports, a Pushgateway and the text files of a node exporter.
 * Source: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function renderOpenMetrics(run: RunResult): string {
  const figures = figuresOf(run).map((figure) => {
    const { cell, benchmark, label, values } = figure;
    const labels = { ...labelsOf(cell), file: benchmark.file, benchmark: label, clock: benchmark.clock };
    return { ...figure, labels, ...summarize(values, figure.name) };
  });
  const of = (unit: 'ns' | 'instructions') => figures.filter((figure) => figure.unit === unit);
  const benchmark = (unit: 'ns' | 'instructions', word: string, scale: number): Family[] => [
    {
      name: `harness_benchmark_median_${word}`,
      type: 'gauge',
      unit: word,
      help: `Median of a benchmark, an operation, in ${word}.`,
      samples: of(unit).map(({ labels, median }) => ({ labels, value: median * scale })),
    },
    ...(['low', 'high'] as const).map(
      (bound): Family => ({
        name: `harness_benchmark_median_${bound}_${word}`,
        type: 'gauge',
        unit: word,
        help: `The ${bound === 'low' ? 'lower' : 'upper'} bound of the median's 95 % interval, in ${word}.`,
        samples: of(unit).flatMap(({ labels, interval }) =>
          interval ? [{ labels, value: interval[bound] * scale }] : [],
        ),
      }),
    ),
  ];
  const families: Family[] = [
    {
      name: 'harness_run',
      type: 'info',
      help: 'The run.',
      samples: [
        {
          labels: {
            run: run.run,
            matrix: run.matrix.name,
            commit: run.git?.sha,
            version: run.harness,
            state: run.state,
          },
          value: 1,
        },
      ],
    },
    ...benchmark('ns', 'seconds', 1e-9),
    ...benchmark('instructions', 'instructions', 1),
    {
      name: 'harness_benchmark_samples',
      type: 'gauge',
      help: 'How many samples a median is of.',
      samples: figures.map(({ labels, count }) => ({ labels, value: count })),
    },
    {
      name: 'harness_tests',
      type: 'gauge',
      help: 'Tests of a cell by verdict.',
      samples: run.cells.flatMap((cell) =>
        [...Map.groupBy(cell.tests, ({ verdict }) => verdict)].map(([verdict, tests]) => ({
          labels: { ...labelsOf(cell), verdict },
          value: tests.length,
        })),
      ),
    },
    {
      name: 'harness_cell_duration_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'How long a cell took.',
      samples: run.cells.map((cell) => ({
        labels: {
          ...labelsOf(cell),
          verdict: cell.verdict,
          voting: String(cell.voting),
          measured: String(hasMeasured(cell)),
        },
        value: cell.durationMs / 1000,
      })),
    },
  ];
  return `${families
    .filter(({ samples }) => samples.length > 0)
    .map(text)
    .join('')}# EOF\n`;
}

function labelsOf({ name, arch, target, suite, release, facts }: CellResult): Labels {
  return { cell: name, arch, target, suite, release, accelerator: facts?.accelerator };
}

function text({ name, type, unit, help, samples }: Family): string {
  const head = [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
  ];
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).flatMap(([key, held]) =>
      held === undefined ? [] : [`${key}="${escaped(held)}"`],
    );
    return `${name}${type === 'info' ? '_info' : ''}{${pairs.join(',')}} ${value}`;
  });
  return `${[...head, ...lines].join('\n')}\n`;
}

function escaped(label: string): string {
  return visible(label).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

export const openMetrics = oneFile({
  name: 'openmetrics',
  path: 'openmetrics.txt',
  about: 'OpenMetrics text: benchmarks, tests and durations as metrics',
  benchmarks: true,
  render: renderOpenMetrics,
});
