import { median, standardDeviation } from 'simple-statistics';
import { figureOf } from '../harness/bench/measured.ts';
import type { BenchmarkChange } from '../harness/compare/regression.ts';
import type { PoolRun } from './decision-pool.ts';
import { playDecision, type Trial, type TrialBenchmark } from './decision-trials.ts';

/** The defaults of `harness compare --confirm`. */
const OPTIONS = { minEffect: { times: 0.02, instructions: 0.005 }, alpha: 0.0025, screenAlpha: 0.05 };

const CLOCKS = ['onController', 'inGuest', 'instructions'] as const;
type Clock = (typeof CLOCKS)[number];
const isOf = (clock: Clock) => (name: string) => name.startsWith(`${clock}:`);
const differs = ({ change }: BenchmarkChange) => change !== 'same' && change !== 'cannot tell';
const isWorse = ({ change }: BenchmarkChange) => change === 'worse';

/** The tables of the decision as Markdown, and whether the targets are met. */
export function decisionReport(runs: readonly PoolRun[], decisions: number): { text: string; met: boolean } {
  const names = Object.keys(runs[0]!.benchmarks);
  const plain = names.filter((name) => !name.endsWith(', slower'));
  const play = (benchmarks: readonly TrialBenchmark[], what: string) =>
    Array.from({ length: decisions }, (_, index) => playDecision(runs, benchmarks, OPTIONS, `${what} ${index}`));

  const itself = play(
    plain.map((name) => ({ name })),
    'itself',
  );
  const count = (trials: readonly Trial[], of: (trial: Trial) => number) =>
    trials.reduce((sum, trial) => sum + of(trial), 0);
  const comparisons = decisions * plain.length;
  const called = count(itself, ({ changes }) => changes.filter(differs).length);
  const alarms = itself.filter(({ changes }) => changes.some(differs)).length;
  const before = count(itself, ({ screened }) => screened.filter(differs).length);
  const alarmsBefore = itself.filter(({ screened }) => screened.some(differs)).length;
  const suspects = count(itself, ({ screened }) => screened.filter(({ suspect }) => suspect).length);

  const injected: [string, Clock, readonly TrialBenchmark[]][] = [
    ['1 % more work, really', 'instructions', slowerOf(names, 'instructions')],
    ['1 %, every sample × 1.01', 'instructions', timesOf(plain, 'instructions', 1.01)],
    ['10 % more work, really', 'onController', slowerOf(names, 'onController')],
    ['10 %, every sample × 1.1', 'onController', timesOf(plain, 'onController', 1.1)],
    ['10 %, every sample × 1.1', 'inGuest', timesOf(plain, 'inGuest', 1.1)],
    ['5 %, every sample × 1.05', 'onController', timesOf(plain, 'onController', 1.05)],
  ];
  let met = called * 200 <= comparisons && alarms === 0;
  const found = injected.map(([what, clock, changed]) => {
    // One benchmark of the commit is slower; the others are unchanged.
    const hits = { suspected: 0, found: 0 };
    const of = Math.max(1, Math.ceil(decisions / changed.length));
    for (const one of changed)
      for (let index = 0; index < of; index++) {
        const benchmarks = plain.map((name) => (name === one.name ? one : { name }));
        const { changes } = playDecision(runs, benchmarks, OPTIONS, `${what} ${one.name} ${index}`);
        const answer = changes.find(({ name }) => name === one.name)!;
        if (answer.suspect === 'worse') hits.suspected++;
        if (isWorse(answer)) hits.found++;
      }
    const all = of * changed.length;
    if (!what.startsWith('5 %') && hits.found < 0.95 * all) met = false;
    return `| ${what} | ${clock} | ${ratioText(runs, changed)} | ${hits.suspected} of ${all} | ${hits.found} of ${all} |`;
  });

  const spreads = CLOCKS.map((clock) => {
    const spread = (subtractWaiting: boolean) =>
      percent(median(plain.filter(isOf(clock)).map((name) => sd(runs, name, subtractWaiting))));
    const waits = runs.flatMap((run) => plain.filter(isOf(clock)).map((name) => run.benchmarks[name]!.waited ?? 0));
    return `| ${clock} | ${plain.filter(isOf(clock)).length} | ${clock === 'instructions' ? '' : percent(median(waits))} | ${spread(false)} | ${spread(true)} |`;
  });
  const loads = runs.map(({ load }) => load);
  const text = `${runs.length} runs; the machine's load was ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}.

| clock | benchmarks | the machine waited for the host | spread from run to run | with waiting subtracted |
|---|---:|---:|---:|---:|
${spreads.join('\n')}

| a commit with itself, ${decisions} whole decisions of ${plain.length} benchmarks | called different | decisions with an alarm |
|---|---:|---:|
| two runs alone, without --confirm | ${before} of ${comparisons} | ${alarmsBefore} of ${decisions} |
| suspected by two runs | ${suspects} of ${comparisons} | |
| with fresh runs, --confirm | ${called} of ${comparisons} | ${alarms} of ${decisions} |

| slower | clock | it was, over all runs | suspected | called worse |
|---|---|---:|---:|---:|
${found.join('\n')}
`;
  return { text, met };
}

function slowerOf(names: readonly string[], clock: Clock): TrialBenchmark[] {
  return names
    .filter(isOf(clock))
    .filter((name) => names.includes(`${name}, slower`))
    .map((name) => ({ name, slower: `${name}, slower` }));
}

function timesOf(names: readonly string[], clock: Clock, times: number): TrialBenchmark[] {
  return names.filter(isOf(clock)).map((name) => ({ name, times }));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;
}

/** The figure of a benchmark in a run. */
function figure(run: PoolRun, name: string, subtractWaiting: boolean): number {
  const clock = name.startsWith('instructions') ? 'instructions' : 'guest';
  const benchmark = {
    ...run.benchmarks[name]!,
    name,
    file: '',
    clock,
    operations: 1,
    warmupSamples: 0,
    warnings: [],
  } as const;
  return figureOf(benchmark, subtractWaiting);
}

/** The standard deviation of a benchmark's logarithm between runs: 0.01 is about 1 %. */
function sd(runs: readonly PoolRun[], name: string, subtractWaiting: boolean): number {
  return standardDeviation(runs.map((run) => Math.log(figure(run, name, subtractWaiting))));
}

/** How much slower the slower version was, by its median over all runs. */
function ratioText(runs: readonly PoolRun[], changed: readonly TrialBenchmark[]): string {
  const ratios = changed.map(({ name, slower, times = 1 }) => {
    const of = (which: string) => median(runs.map((run) => figure(run, which, true)));
    return (times * of(slower ?? name)) / of(name) - 1;
  });
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return least === most || most - least < 1e-9 ? percent(most) : `${percent(least)} to ${percent(most)}`;
}
