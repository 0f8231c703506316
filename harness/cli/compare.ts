import { InvalidArgumentError } from 'commander';
import { visible } from '../../reports/text.ts';
import { formatAmount } from '../../reports/words.ts';
import { ConfigError } from '../base/errors.ts';
import { type BenchmarkChange, type Change, compareRuns } from '../bench/regression.ts';
import type { RunResult } from '../events/result.ts';
import { type ParityOptions, parity } from './parity.ts';
import { runOf } from './run-of.ts';

interface Options extends ParityOptions {
  readonly parity?: boolean;
  readonly minEffect: number;
  readonly failOn?: number;
}

/** The chance of one false alarm among all benchmarks of a comparison. */
const ALPHA = 0.05;

/** The order in which changes are shown: what somebody has to look at comes first. */
const ORDER: readonly Change[] = ['worse', 'better', 'cannot tell', 'same'];

/** `2%` or `2`, as a fraction. */
export function percent(text: string): number {
  const number = Number(/^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim())?.[1]);
  if (!(number > 0 && number <= 1000)) throw new InvalidArgumentError('expected a percentage, such as 2%.');
  return number / 100;
}

/**
 * `harness compare BASE NEW`: what became of each benchmark, and whether that is more than chance. With `--parity`, each
 * test on two kinds of target.
 */
export async function compare(base: string, next: string | undefined, options: Options): Promise<number> {
  if (options.parity) return parity(base, next, options);
  const only = options.targets ? '--targets' : options.failOnDiffer ? '--fail-on-differ' : undefined;
  if (only !== undefined) throw new ConfigError(`${only} is for comparisons of tests: harness compare --parity`);
  if (next === undefined)
    throw new ConfigError('a second run is missing: benchmarks are compared from one run to another', {
      hint: 'harness compare BASE NEW; one run is enough for --parity',
    });
  const [before, after] = [await runOf(base, options.history), await runOf(next, options.history)];
  const minEffect = options.failOn ?? options.minEffect;
  const changes = compareRuns(before, after, { minEffect, alpha: ALPHA });
  const failed = options.failOn !== undefined && changes.some(({ change }) => change === 'worse');
  if (options.json) {
    const sides = { base: before.run, new: after.run };
    process.stdout.write(`${JSON.stringify({ ...sides, minEffect, alpha: ALPHA, changes }, null, 2)}\n`);
  } else process.stdout.write(textOf(before, after, changes, minEffect));
  return failed ? 1 : 0;
}

function textOf(base: RunResult, next: RunResult, changes: readonly BenchmarkChange[], minEffect: number): string {
  const of = (run: RunResult) =>
    `${run.run}${run.git ? ` (${run.git.sha.slice(0, 12)}${run.git.dirty ? ', changed' : ''})` : ''}`;
  const counts = ORDER.map((change) => `${changes.filter((one) => one.change === change).length} ${change}`);
  const rows = ORDER.flatMap((change) => changes.filter((one) => one.change === change)).map(row);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => cells[column]!.length), 0));
  const lines = rows.map((cells) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
  return [
    `base  ${of(base)}`,
    `new   ${of(next)}`,
    '',
    ...(lines.length > 0 ? lines : ['  neither run has benchmarks']),
    '',
    `${changes.length} compared: ${counts.join(', ')}; changes below ${100 * minEffect} % do not matter`,
    'A host that was busy during one of the runs makes benchmarks worse that nobody changed: measure again before blaming.',
    '',
  ].join('\n');
}

function row({ change, cell, file, name, clock, baseMs, newMs, ratio, interval, reason }: BenchmarkChange): string[] {
  const times =
    baseMs === undefined || newMs === undefined ? '' : `${formatAmount(baseMs, clock)} → ${formatAmount(newMs, clock)}`;
  const shown = (value: number) =>
    `${value >= 1 ? '+' : '−'}${(100 * Math.abs(value - 1)).toFixed(Math.abs(value - 1) < 0.01 ? 2 : 1)} %`;
  const range = interval ? ` (${shown(interval.low)} to ${shown(interval.high)})` : '';
  return [
    change,
    cell,
    visible(`${file} › ${name}`),
    times,
    ratio === undefined ? (reason ?? '') : `${shown(ratio)}${range}`,
  ];
}
