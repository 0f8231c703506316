import { relative } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { writeJobSummary } from '../../../reports/github.ts';
import { block } from '../../../reports/markdown.ts';
import { visible } from '../../../reports/text.ts';
import { ConfigError } from '../../base/errors.ts';
import { confirmChanges } from '../../compare/confirm.ts';
import { type Gate, gateOf } from '../../compare/gate.ts';
import { type BenchmarkChange, compareRuns, type MinEffect } from '../../compare/regression.ts';
import { findProject } from '../../config/load/project.ts';
import type { RunResult } from '../../events/result.ts';
import { Interrupted } from '../../run/cell/step.ts';
import { afterRun } from '../after-run.ts';
import type { CliCommand } from '../command.ts';
import { freshRuns } from '../fresh-runs.ts';
import { interruptible } from '../interrupt.ts';
import { collect } from '../options.ts';
import { runOf } from '../run-of.ts';
import { compareText } from './compare-text.ts';
import { type ParityOptions, parity } from './parity.ts';

interface Options extends ParityOptions {
  readonly parity?: boolean;
  readonly minEffect?: number;
  readonly failOn?: number;
  readonly confirm?: boolean;
}

/** The chance of one false alarm among all benchmarks of a comparison, if samples were independent. */
const ALPHA = 0.05;

/** The chance of one false alarm among all suspects that fresh runs decide. */
const CONFIRM_ALPHA = 0.0025;

/** The smallest change that matters, by default: counts of instructions repeat four times as well. */
const MIN_EFFECT: MinEffect = { times: 0.02, instructions: 0.005 };

/** `2%` or `2`, as a fraction. */
function percent(text: string): number {
  const number = Number(/^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim())?.[1]);
  if (!(number > 0 && number <= 1000)) throw new InvalidArgumentError('expected a percentage, such as 2%.');
  return number / 100;
}

/**
 * `harness compare BASE NEW`: how each benchmark changed, and whether that is more than chance. With `--parity`, each
 * test on two kinds of target.
 */
async function compare(base: string, next: string | undefined, options: Options): Promise<number> {
  if (options.parity) return parity(base, next, options);
  const only = options.targets ? '--targets' : options.failOnDiffer ? '--fail-on-differ' : undefined;
  if (only !== undefined) throw new ConfigError(`${only} is for comparisons of tests: harness compare --parity`);
  if (next === undefined)
    throw new ConfigError('a second run is missing: benchmarks are compared from one run to another', {
      hint: 'harness compare BASE NEW; one run is enough for --parity',
    });
  const [before, after] = [await runOf(base, options.history), await runOf(next, options.history)];
  const least = options.failOn ?? options.minEffect;
  const minEffect = least === undefined ? MIN_EFFECT : { times: least, instructions: least };
  const screened = compareRuns(before, after, { minEffect, alpha: ALPHA });
  const confirmed = options.confirm === true;
  let changes: readonly BenchmarkChange[] = screened;
  try {
    if (confirmed) changes = await confirm(before, after, screened, minEffect, options.json === true);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.stderr.write('interrupted: nothing was confirmed\n');
    return 130;
  }
  const gate = gateOf(changes, before, { confirmed });
  const text = compareText(before, after, changes, minEffect);
  if (options.json) {
    const { compared, of } = gate;
    const sides = { base: before.run, new: after.run };
    const alpha = confirmed ? CONFIRM_ALPHA : ALPHA;
    process.stdout.write(
      `${JSON.stringify({ ...sides, minEffect, alpha, confirmed, compared, of, changes }, null, 2)}\n`,
    );
  } else process.stdout.write(text);
  await afterRun(() => writeJobSummary(`### Benchmarks\n\n${block(text)}`));
  if (options.failOn === undefined) return 0;
  if (gate.exitCode === 4) process.stderr.write(noAnswer(gate));
  return gate.exitCode;
}

/** Why there is no verdict: the reasons, the most frequent first. */
function noAnswer({ compared, of, unjudged }: Gate): string {
  if (of === 0) return 'no verdict: neither run has benchmarks\n';
  const reasons = [...Map.groupBy(unjudged, ({ reason }) => reason ?? '')].sort(([, a], [, b]) => b.length - a.length);
  const lines = reasons.slice(0, 5).map(([reason, of]) => `  ${of.length} × ${visible(reason)}\n`);
  const more = reasons.length > 5 ? `  and ${reasons.length - 5} more reasons\n` : '';
  const what = unjudged.length > 0 ? 'what was not compared may be worse' : 'the base has none of them';
  return `no verdict: ${compared} of ${of} compared, and ${what}\n${lines.join('')}${more}`;
}

/** Decides the suspects of two runs with fresh runs. @throws Interrupted */
async function confirm(
  base: RunResult,
  next: RunResult,
  screened: readonly BenchmarkChange[],
  minEffect: MinEffect,
  quiet: boolean,
): Promise<BenchmarkChange[]> {
  if (screened.every(({ suspect }) => suspect === undefined)) return [...screened];
  const say = (line: string) => void (quiet || process.stderr.write(`${line}\n`));
  const { root } = await findProject(process.cwd());
  return interruptible({ quiet }, async (signal) => {
    await using fresh = await freshRuns({ project: root, runs: { base, new: next }, signal, onProgress: say });
    say(`fresh runs of both commits, in turns; their events go to ${relative(process.cwd(), fresh.folder)}`);
    // Awaited here, because the files of the commits are removed with this block.
    return await confirmChanges(screened, {
      minEffect,
      alpha: CONFIRM_ALPHA,
      measure: fresh.measure,
      onRound: (round, open) => say(`round ${round}: ${open.length} to be confirmed`),
      warn: say,
    });
  });
}

export const compareCommand: CliCommand = {
  name: 'compare',
  declare: (command) =>
    command
      .description('compare the benchmarks of two runs, or the test results of two kinds of target (--parity)')
      .argument('<base>', 'name of a run, its folder, its events.jsonl, or a commit in the history')
      .argument('[new]', 'the same; optional with --parity when <base> has both kinds of target')
      .option(
        '--min-effect <percent>',
        'the smallest change that matters; default: 2% of a time, 0.5% of a count',
        percent,
      )
      .option('--confirm', 'confirm suspected changes with fresh, alternating runs of both commits')
      .option('--history <folder>', "folder of the history; default: the project's history/")
      .option(
        '--fail-on <percent>',
        'exit with 1 when a benchmark is worse (without --confirm: maybe worse) by more than this, with 4 when a benchmark of the base could not be compared',
        percent,
      )
      .option('--parity', 'compare tests, not benchmarks: the same suites on two kinds of target')
      .option('--targets <kinds>', 'the two kinds, comma-separated; default: those of the runs', collect)
      .option('--fail-on-differ', 'exit with 1 when a test differs, with 4 when one cannot be compared')
      .option('--json', 'print one JSON document on stdout')
      .addHelpText(
        'after',
        '\nExamples:\n  harness compare 20261120-214512-3f9a latest\n  harness compare base/events.jsonl latest --fail-on 5%\n  harness compare main latest              with a history that has a run of main\n  harness compare main latest --confirm --fail-on 2%   a gate for pull requests\n  harness compare --parity latest --targets vm,container',
      ),
  act: compare,
};
