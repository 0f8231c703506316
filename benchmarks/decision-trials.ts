import { figureOf } from '../harness/bench/measured.ts';
import { seededRandom } from '../harness/bench/random.ts';
import { type DecisionOptions, decide, MOST_ROUNDS } from '../harness/compare/decision.ts';
import { type BenchmarkChange, compareRuns } from '../harness/compare/regression.ts';
import type { RunResult } from '../harness/events/result.ts';
import type { PoolRun } from './decision-pool.ts';

/** Runs that one decision takes at most: two that make suspect, and those of each commit that are asked. */
export const RUNS_A_DECISION = 2 + 2 * MOST_ROUNDS;

/** A benchmark of two commits, by what the pool's runs measured. */
export interface TrialBenchmark {
  readonly name: string;
  /** Of the new commit: another benchmark of the pool, really slower; absent: the same. */
  readonly slower?: string;
  /** Of the new commit: its samples times this. */
  readonly times?: number;
}

/** What a decision came to. */
export interface Trial {
  /** What two runs said, at the level of `harness compare` without `--confirm`, and whom they suspected. */
  readonly screened: readonly BenchmarkChange[];
  /** With what fresh runs said of the suspects. */
  readonly changes: readonly BenchmarkChange[];
}

/**
 * Plays a whole decision between two commits with real runs. Two runs that were made one after the other are a pair; one of
 * them, drawn, is of the base. The first pair is compared, the others are the fresh runs. Which pairs, and in which order,
 * is drawn, without taking one twice in a decision.
 * @throws RangeError when there are fewer than RUNS_A_DECISION runs.
 */
export function playDecision(
  runs: readonly PoolRun[],
  benchmarks: readonly TrialBenchmark[],
  options: DecisionOptions & { readonly screenAlpha: number },
  seed: string,
): Trial {
  if (runs.length < RUNS_A_DECISION)
    throw new RangeError(`a decision takes ${RUNS_A_DECISION} runs, and there are ${runs.length}`);
  const random = seededRandom(seed);
  const sides = shuffled(pairsOf(runs, random), random)
    .slice(0, 1 + MOST_ROUNDS)
    .map(([one, other]) => (random() < 0.5 ? [one, other] : [other, one]))
    .map(([base, next]) => ({ base: resultOf(base!, benchmarks, false), next: resultOf(next!, benchmarks, true) }));
  const screened = compareRuns(sides[0]!.base, sides[0]!.next, { ...options, alpha: options.screenAlpha });
  const suspects = screened.filter(({ suspect }) => suspect !== undefined);
  const figures = (side: 'base' | 'next', name: string) =>
    sides.slice(1).map((pair) => figureOf(pair[side].cells[0]!.benchmarks.find((one) => one.name === name)!, true));
  const decided = decide(
    suspects.map(({ name, clock, suspect }) => ({
      suspect: suspect!,
      clock,
      base: figures('base', name),
      next: figures('next', name),
    })),
    options,
  );
  const changes = screened.map((change): BenchmarkChange => {
    const answer = decided[suspects.indexOf(change)];
    if (answer === undefined) return change;
    const { state, ...rest } = answer;
    return state === 'decided' ? { ...change, ...rest } : change;
  });
  return { screened, changes };
}

/** Runs that follow each other, two and two; with an odd number one at an end, drawn, is left out. */
function pairsOf(runs: readonly PoolRun[], random: () => number): [PoolRun, PoolRun][] {
  const from = runs.length % 2 === 1 && random() < 0.5 ? 1 : 0;
  return Array.from({ length: Math.floor((runs.length - from) / 2) }, (_, index) => [
    runs[from + 2 * index]!,
    runs[from + 2 * index + 1]!,
  ]);
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  for (let last = left.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [left[last], left[other]] = [left[other]!, left[last]!];
  }
  return left;
}

/** What a run of the pool says of a commit, as a run of one cell. */
function resultOf(run: PoolRun, benchmarks: readonly TrialBenchmark[], changed: boolean): RunResult {
  const measured = benchmarks.map(({ name, slower, times = 1 }) => {
    const { samplesMs, ...rest } = run.benchmarks[changed ? (slower ?? name) : name]!;
    return {
      ...rest,
      samplesMs: samplesMs.map((ms) => (changed ? ms * times : ms)),
      name,
      file: 'a.bench.ts',
      clock: name.startsWith('instructions') ? 'instructions' : name.startsWith('inGuest') ? 'guest' : 'controller',
      operations: 1,
      warmupSamples: 1,
      warnings: [],
    };
  });
  const facts = { arch: 'amd64', kind: 'vm', accelerator: 'tcg', cpu: 'max', vcpus: 1, memoryBytes: 2 ** 28 };
  // What comparing looks at; the rest of a run does not matter to it.
  return {
    host: { cpu: 'this' },
    cells: [{ name: 'amd64/vm/decision', facts, benchmarks: measured }],
  } as unknown as RunResult;
}
