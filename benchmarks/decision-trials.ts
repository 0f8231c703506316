import { figureOf } from '../harness/bench/measured.ts';
import { seededRandom } from '../harness/bench/random.ts';
import { type DecisionOptions, decide, MOST_ROUNDS } from '../harness/compare/decision.ts';
import { type BenchmarkChange, compareRuns } from '../harness/compare/regression.ts';
import type { RunResult } from '../harness/events/result.ts';
import type { PoolRun } from './decision-pool.ts';

/** Maximum runs of one decision: the two that raise the suspicion, and the fresh runs of each commit. */
export const RUNS_A_DECISION = 2 + 2 * MOST_ROUNDS;

/** A benchmark of two commits, with measurements from the pool's runs. */
export interface TrialBenchmark {
  readonly name: string;
  /** The new commit's benchmark: another one of the pool that is really slower; absent: the same one. */
  readonly slower?: string;
  /** Factor on the new commit's samples. */
  readonly times?: number;
}

/** The result of a decision. */
export interface Trial {
  /** The result of two runs, at the level of `harness compare` without `--confirm`, and the suspects. */
  readonly screened: readonly BenchmarkChange[];
  /** The result after fresh runs of the suspects. */
  readonly changes: readonly BenchmarkChange[];
}

/**
 * Simulates a whole decision between two commits with real runs. Two consecutive runs are a pair, one of which is
 * randomly assigned to the base. The first pair is compared; the others are the fresh runs. Pairs are drawn at random,
 * in random order, without replacement within a decision.
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

/** Pairs of consecutive runs; of an odd number, one at a random end is left out. */
function pairsOf(runs: readonly PoolRun[], random: () => number): [PoolRun, PoolRun][] {
  const from = runs.length % 2 === 1 && random() < 0.5 ? 1 : 0;
  return Array.from({ length: Math.floor((runs.length - from) / 2) }, (_, index) => [
    runs[from + 2 * index]!,
    runs[from + 2 * index + 1]!,
  ]);
}

/** Fisher-Yates shuffle. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  for (let last = left.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [left[last], left[other]] = [left[other]!, left[last]!];
  }
  return left;
}

/** A run of the pool as the run of a commit with one cell. */
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
  // Only what the comparison reads.
  return {
    host: { cpu: 'this' },
    cells: [{ name: 'amd64/vm/decision', facts, benchmarks: measured }],
  } as unknown as RunResult;
}
