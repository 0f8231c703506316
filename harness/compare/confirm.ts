import { figureOf, type Measured, measuredIn, obstacle, waitingIsKnown } from '../bench/measured.ts';
import type { RunResult } from '../events/result.ts';
import { decide, MOST_ROUNDS, type Suspect } from './decision.ts';
import type { BenchmarkChange, MinEffect } from './regression.ts';

/** The two commits. */
export type Side = 'base' | 'new';

export interface ConfirmOptions {
  readonly minEffect: MinEffect;
  /** The chance of one false alarm among all suspects. */
  readonly alpha: number;
  /** Makes a fresh run of a commit that measures at least these benchmarks. */
  readonly measure: (side: Side, suspects: readonly BenchmarkChange[]) => Promise<RunResult>;
  /** Called before each round, counted from 1, with the undecided suspects. */
  readonly onRound: (round: number, open: readonly BenchmarkChange[]) => void;
  /** Called with messages for the user. */
  readonly warn: (message: string) => void;
}

/** Extra rounds, to replace pairs that cannot be compared. */
const SPARE_ROUNDS = 3;

/**
 * Measures every suspect of the first comparison with fresh, alternating runs of both commits (base, new, new, base, …,
 * so that a steady drift of the host cancels out) until all are decided.
 * @returns the changes, with the suspects updated by the fresh runs.
 */
export async function confirmChanges(
  changes: readonly BenchmarkChange[],
  options: ConfirmOptions,
): Promise<BenchmarkChange[]> {
  const suspects = changes.flatMap((change) =>
    change.suspect === undefined ? [] : [{ change, suspect: change.suspect, clock: change.clock, ...noFigures() }],
  );
  const answers = new Map<BenchmarkChange, Partial<BenchmarkChange>>();
  for (let round = 1; round <= MOST_ROUNDS + SPARE_ROUNDS; round++) {
    const open = suspects.filter(({ change }) => !answers.has(change));
    if (open.length === 0) break;
    const asked = open.map(({ change }) => change);
    options.onRound(round, asked);
    const runs: Partial<Record<Side, RunResult>> = {};
    for (const side of round % 2 === 1 ? (['base', 'new'] as const) : (['new', 'base'] as const))
      runs[side] = await options.measure(side, asked);
    for (const suspect of open) {
      const reason = addFigures(suspect, runs.base!, runs.new!, options.warn);
      if (reason !== undefined) answers.set(suspect.change, { change: 'cannot tell', compared: false, reason });
    }
    const decided = decide(suspects, options);
    for (const [index, answer] of decided.entries()) {
      const { state, ...rest } = answer;
      const { change } = suspects[index]!;
      if (state === 'decided' && !answers.has(change)) answers.set(change, rest);
    }
  }
  const undecided: Partial<BenchmarkChange> = {
    change: 'cannot tell',
    compared: false,
    reason: 'not confirmed: too many pairs of fresh runs could not be compared',
  };
  return changes.map((change) =>
    change.suspect === undefined ? change : { ...change, ...(answers.get(change) ?? undecided) },
  );
}

interface Figures {
  readonly base: number[];
  readonly next: number[];
}

function noFigures(): Figures {
  return { base: [], next: [] };
}

/** Adds the figures of a pair of fresh runs; returns the reason if they say nothing about the code. */
function addFigures(
  { change, base, next }: Suspect & Figures & { readonly change: BenchmarkChange },
  before: RunResult,
  after: RunResult,
  warn: (message: string) => void,
): string | undefined {
  const [old, fresh] = [measuredOf(before, change), measuredOf(after, change)];
  if (!old || !fresh) {
    const run = old ? after : before;
    return `the fresh run ${run.run} has no figure for it: ${reasonIn(run, change)}`;
  }
  const reason = obstacle(old, fresh, before, after);
  if (reason !== undefined) return reason;
  // A booted machine's caches differ from a resumed one's.
  if ((old.cell.facts?.resumed === undefined) !== (fresh.cell.facts?.resumed === undefined)) {
    warn(`${change.cell}: one machine was booted and the other resumed, this pair is not counted`);
    return undefined;
  }
  const subtractWaiting = waitingIsKnown([old.benchmark, fresh.benchmark]);
  base.push(figureOf(old.benchmark, subtractWaiting));
  next.push(figureOf(fresh.benchmark, subtractWaiting));
  return undefined;
}

function measuredOf(run: RunResult, { cell, file, name }: BenchmarkChange): Measured | undefined {
  return measuredIn(run).find(
    (one) => one.cell.name === cell && one.benchmark.file === file && one.benchmark.name === name,
  );
}

function reasonIn(run: RunResult, change: BenchmarkChange): string {
  const cell = run.cells.find(({ name }) => name === change.cell);
  return cell?.reason ?? (cell ? 'it did not measure it' : `it has no cell ${change.cell}`);
}
