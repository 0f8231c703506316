import { acceleratorOf, formatAmount, formatInterval, formatRatio, stackWords } from '../../../reports/words.ts';
import { printable } from '../../base/text.ts';
import { type BenchmarkResult, compareToControl } from '../../bench/comparison.ts';
import type { RunResult } from '../../events/result.ts';
import type { Paint } from './paint.ts';

/** Smallest width of a readable table with intervals, in characters. */
const WITH_INTERVALS = 90;

/**
 * Every benchmark on every architecture: median, interval, ratio to the control architecture, and accelerator. Empty if
 * nothing was measured.
 * @param columns of the terminal; a narrow one omits the intervals, which the reports have.
 */
export function benchmarkTable(result: RunResult, paint: Paint, columns: number): string[] {
  const wide = columns >= WITH_INTERVALS;
  const groups = Map.groupBy(compareToControl(result.cells, result.control), stackWords);
  return [...groups].flatMap(([title, benchmarks]) => {
    const results = benchmarks.flatMap(({ name, clock, results }) =>
      results.map((result, index) => ({
        name: index === 0 ? printable(name) : '',
        cells: [
          result.arch,
          formatAmount(result.summary.median, clock),
          ...(wide ? [formatInterval(result.summary.interval, clock)] : []),
          ratioOf(result, wide),
          acceleratorOf(result),
        ],
      })),
    );
    const head = ['', 'median', ...(wide ? ['95 % interval'] : []), `× ${result.control}`, ''];
    const widths = head.map((text, column) =>
      Math.max(text.length, ...results.map(({ cells }) => cells[column]!.length)),
    );
    const row = (cells: readonly string[]) =>
      `    ${cells.map((text, column) => (column === 0 || column === head.length - 1 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!))).join('  ')}`;
    return [
      `  ${paint('bold', title)}`,
      paint('dim', row(head)),
      ...results.flatMap(({ name, cells }) => [...(name === '' ? [] : [`  ${name}`]), row(cells)]),
    ];
  });
}

function ratioOf({ toControl }: BenchmarkResult, wide: boolean): string {
  const text = formatRatio(toControl);
  return wide ? text : text.replace(/ \(.*\)$/, '');
}
