import { basename, dirname, join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { visible } from '../../reports/text.ts';
import { formatAmount } from '../../reports/words.ts';
import { ConfigError, messageOf } from '../base/errors.ts';
import { type BenchmarkChange, type Change, compareRuns } from '../bench/regression.ts';
import { findProject } from '../config/project.ts';
import { foldEvents } from '../events/fold.ts';
import { readEvents } from '../events/reader.ts';
import type { RunResult } from '../events/result.ts';
import { historyFolder, readHistory, runOfCommit } from '../run/history.ts';
import { findRun } from '../run/run.ts';

interface Options {
  readonly minEffect: number;
  readonly failOn?: number;
  readonly history?: string;
  readonly json?: boolean;
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

/** `harness compare BASE NEW`: what became of each benchmark, and whether that is more than chance. */
export async function compare(base: string, next: string, options: Options): Promise<number> {
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

/** A run by its name, its folder or its file of events, or the newest of a commit in the history. */
async function runOf(name: string, history: string | undefined): Promise<RunResult> {
  const { root } = await findProject(process.cwd());
  const place = basename(name) === 'events.jsonl' ? `${dirname(name)}/` : name;
  try {
    const folder = await findRun(root, place);
    return foldEvents((await readEvents(join(folder, 'events.jsonl'))).events);
  } catch (error) {
    const runs = await readHistory(history ?? historyFolder(root));
    const found = await runOfCommit(root, runs, name);
    if (found) return found.result;
    throw new ConfigError(`${messageOf(error)}, and the history has no run of a commit ${JSON.stringify(name)}`, {
      cause: error,
      hint: `The history has ${runs.length} runs: harness history list`,
    });
  }
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
