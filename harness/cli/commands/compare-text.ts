import { visible } from '../../../reports/text.ts';
import { formatAmount } from '../../../reports/words.ts';
import type { BenchmarkChange, Change, MinEffect } from '../../compare/regression.ts';
import type { RunResult } from '../../events/result.ts';
import { columns } from '../terminal/columns.ts';

/** The order of changes: those that need attention come first. */
const ORDER: readonly Change[] = ['worse', 'maybe worse', 'better', 'maybe better', 'cannot tell', 'same'];

/** The output of `harness compare`. */
export function compareText(
  base: RunResult,
  next: RunResult,
  changes: readonly BenchmarkChange[],
  minEffect: MinEffect,
): string {
  const of = (run: RunResult) =>
    `${run.run}${run.git ? ` (${run.git.sha.slice(0, 12)}${run.git.dirty ? ', changed' : ''})` : ''}`;
  const count = (change: Change) => changes.filter((one) => one.change === change).length;
  const counts = ORDER.map((change) => [change, count(change)] as const)
    .filter(([change, number]) => number > 0 || !change.startsWith('maybe'))
    .map(([change, number]) => `${number} ${change}`);
  const rows = ORDER.flatMap((change) => changes.filter((one) => one.change === change)).map(row);
  const lines = columns(rows).map((line) => `  ${line}`);
  const limit =
    minEffect.times === minEffect.instructions
      ? `${percentOf(minEffect.times)} do not matter`
      : `${percentOf(minEffect.times)} of a time, or ${percentOf(minEffect.instructions)} of a count, do not matter`;
  return [
    `base  ${of(base)}`,
    `new   ${of(next)}`,
    '',
    ...(lines.length > 0 ? lines : ['  neither run has benchmarks']),
    '',
    `${changes.filter(({ compared }) => compared).length} of ${changes.length} compared: ${counts.join(', ')}; changes below ${limit}`,
    ...(changes.some(({ change }) => change.startsWith('maybe'))
      ? ['Two runs cannot tell the code from the host that was busy during one of them: --confirm takes fresh runs.']
      : []),
    '',
  ].join('\n');
}

function percentOf(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}

function row(one: BenchmarkChange): string[] {
  const { change, cell, file, name, clock, baseMs, newMs, ratio, interval, reason, freshRuns } = one;
  const times =
    baseMs === undefined || newMs === undefined ? '' : `${formatAmount(baseMs, clock)} → ${formatAmount(newMs, clock)}`;
  const shown = (value: number) =>
    `${value >= 1 ? '+' : '−'}${(100 * Math.abs(value - 1)).toFixed(Math.abs(value - 1) < 0.01 ? 2 : 1)} %`;
  const range = interval ? ` (${shown(interval.low)} to ${shown(interval.high)})` : '';
  const from = freshRuns === undefined ? '' : `, ${freshRuns} fresh runs of each`;
  const said = ratio === undefined ? (reason ?? '') : `${shown(ratio)}${range}${from}`;
  return [change, cell, visible(`${file} › ${name}`), times, said];
}
