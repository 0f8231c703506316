import { type TestName, testKey } from '../events/identity.ts';
import type { CellResult, RunResult } from '../events/result.ts';
import { type Accelerator, isEmulated } from '../events/types.ts';
import { type Outcome, outcomesOf, sameMessage } from './outcomes.ts';

/** One half of a comparison: the cells of one kind of target in a run. */
export interface ParitySide {
  readonly run: RunResult;
  /** The kind of target: `vm`, `container`, … */
  readonly target: string;
}

/**
 * The same test on two kinds of target.
 * - `agree`: it passed on both, or failed on both;
 * - `differ`: it passed on one and failed on the other;
 * - `only one`: one side ran it, and the other skipped it, could not run it, or does not have it;
 * - `neither`: no side ran it;
 */
export const PARITY_STATES = ['differ', 'cannot tell', 'only one', 'neither', 'agree'] as const;
export type ParityState = (typeof PARITY_STATES)[number];

/**
 * The cause of a difference, or of a common failure.
 * - `machine`: this architecture on this kind of target, for instance its emulator;
 * - `target`: the kind of target, whatever the architecture;
 * - `test`: it fails everywhere;
 */
export type ParityCause = 'machine' | 'target' | 'architecture' | 'test' | 'unknown';

export interface ParityTest extends TestName {
  readonly arch: string;
  readonly suite: string;
  /** Only if a matrix has several releases. */
  readonly release?: string;
  readonly state: ParityState;
  readonly a: Outcome;
  readonly b: Outcome;
  /** Only if a side failed and the sides can be compared. */
  readonly cause?: ParityCause;
  /** The evidence for the state or the cause: one sentence. */
  readonly because?: string;
}

export interface Parity {
  readonly a: ParityFacts;
  readonly b: ParityFacts;
  readonly tests: readonly ParityTest[];
  readonly counts: Readonly<Record<ParityState, number>>;
  /** Reasons to doubt the comparison itself, for people. */
  readonly warnings: readonly string[];
}

export interface ParityFacts {
  readonly run: string;
  readonly target: string;
  /** What executed the instructions, by architecture. */
  readonly accelerators: Readonly<Record<string, Accelerator>>;
}

/**
 * Compares the same suites on two kinds of target, test by test, on each architecture of either. A difference is
 * explained with the control leg of each side: the same test on the control architecture of its run, on the same kind
 * of target.
 */
export function compareParity(a: ParitySide, b: ParitySide): Parity {
  const [cellsA, cellsB] = [cellsOf(a), cellsOf(b)];
  const names = [...new Set([...cellsA.keys(), ...cellsB.keys()])];
  const tests = names.flatMap((name) => {
    const pair = [cellsA.get(name), cellsB.get(name)] as const;
    const cell = (pair[0] ?? pair[1])!;
    const { arch, suite, release } = cell;
    const left = outcomesOf(pair[0], a.target);
    const right = outcomesOf(pair[1], b.target);
    const keys = [...new Set([...left.tests.keys(), ...right.tests.keys()])];
    return keys.map((key): ParityTest => {
      const [one, other] = [left.tests.get(key), right.tests.get(key)];
      const { outcome: _outcome, ...which } = (one ?? other)!;
      const outcomes = { a: one?.outcome ?? left.absent(which), b: other?.outcome ?? right.absent(which) };
      const legs = { a: controlOf(a, cellsA, cell, which), b: controlOf(b, cellsB, cell, which) };
      const of = { arch, suite, ...(release === undefined ? {} : { release }), ...which };
      return { ...of, ...outcomes, ...judge(outcomes, { arch, a, b, cells: pair, legs }) };
    });
  });
  const counts = Object.fromEntries(
    PARITY_STATES.map((state) => [state, tests.filter((test) => test.state === state).length]),
  ) as Record<ParityState, number>;
  return { a: factsOf(a, cellsA), b: factsOf(b, cellsB), tests, counts, warnings: warningsOf(a.run, b.run) };
}

type Cells = ReadonlyMap<string, CellResult>;

/** The key of a cell on both sides: its architecture, suite and release. */
function keyOf(arch: string, { suite, release }: Pick<CellResult, 'suite' | 'release'>): string {
  return JSON.stringify([arch, suite, release]);
}

/** The side's cells by that key. */
function cellsOf({ run, target }: ParitySide): Cells {
  return new Map(run.cells.filter((cell) => cell.target === target).map((cell) => [keyOf(cell.arch, cell), cell]));
}

function controlOf({ run, target }: ParitySide, cells: Cells, cell: CellResult, which: TestName): Outcome {
  const { tests, absent } = outcomesOf(cells.get(keyOf(run.control, cell)), target);
  return tests.get(testKey(which))?.outcome ?? absent(which);
}

interface Circumstances {
  readonly arch: string;
  readonly a: ParitySide;
  readonly b: ParitySide;
  readonly cells: readonly [CellResult | undefined, CellResult | undefined];
  readonly legs: Readonly<Record<'a' | 'b', Outcome>>;
}

function judge(
  { a: one, b: other }: Pick<ParityTest, 'a' | 'b'>,
  where: Circumstances,
): Pick<ParityTest, 'state' | 'cause' | 'because'> {
  const broken = [one, other].find(({ state }) => state === 'broken');
  if (broken) return { state: 'cannot tell', because: broken.reason ?? 'it broke' };
  const absent = [one, other].filter(({ state }) => state === 'not run');
  if (absent.length === 2) return { state: 'neither' };
  if (absent[0]) return { state: 'only one', because: absent[0].reason ?? 'it did not run' };
  if (one.state === 'passed' && other.state === 'passed')
    return one.flaky === other.flaky
      ? { state: 'agree' }
      : { state: 'agree', because: `flaky on ${(one.flaky ? where.a : where.b).target}` };
  if (one.state === other.state) return { state: 'agree', ...causeOfAgreement(one, other, where) };
  return { state: 'differ', ...causeOfDifference(one.state === 'failed' ? 'a' : 'b', where) };
}

/** Both fail: the control legs say whether it is about the architecture. */
function causeOfAgreement(
  one: Outcome,
  other: Outcome,
  { arch, a, cells, legs }: Circumstances,
): Pick<ParityTest, 'cause' | 'because'> {
  const both = `fails on both, with ${sameMessage(one, other) ? 'the same' : 'another'} message`;
  const { control } = a.run;
  const states = [legs.a.state, legs.b.state];
  if (states.every((state) => state === 'failed'))
    return { cause: 'test', because: arch === control ? both : `${both}, and on ${control} too` };
  if (states.every((state) => state === 'passed'))
    return { cause: 'architecture', because: `${both}, and passes on ${control}: ${whatFails(arch, cells)}` };
  return { cause: 'unknown', because: `${both}; ${control} does not say the same on both` };
}

function causeOfDifference(
  failing: 'a' | 'b',
  { arch, cells, legs, ...sides }: Circumstances,
): Pick<ParityTest, 'cause' | 'because'> {
  const { run, target } = sides[failing];
  const { control } = run;
  const emulated = isEmulatedCell(cells[failing === 'a' ? 0 : 1]);
  if (arch === control)
    return { cause: 'target', because: `the kind of target ${target}: ${arch} is the control architecture` };
  switch (legs[failing].state) {
    case 'failed':
      return { cause: 'target', because: `the kind of target ${target}, not ${arch}: fails on ${control} there too` };
    case 'passed':
      return {
        cause: 'machine',
        because: `the ${emulated ? 'emulated ' : ''}${arch} ${target}: passes on ${control} there`,
      };
    default:
      return { cause: 'unknown', because: `${control} has no result on ${target}` };
  }
}

/** Two emulators are related: only hardware on one side says that it is the architecture itself. */
function whatFails(arch: string, cells: Circumstances['cells']): string {
  return cells.every(isEmulatedCell) ? `${arch}, or what both emulators have in common` : `${arch} itself`;
}

function isEmulatedCell(cell: CellResult | undefined): boolean {
  return cell?.facts !== undefined && isEmulated(cell.facts.accelerator);
}

function factsOf({ run, target }: ParitySide, cells: Cells): ParityFacts {
  const known = [...cells.values()].flatMap(({ arch, facts }) => (facts ? [[arch, facts.accelerator] as const] : []));
  return { run: run.run, target, accelerators: Object.fromEntries(known) };
}

function warningsOf(a: RunResult, b: RunResult): string[] {
  if (a.run === b.run) return [];
  const differ = (what: string, one: unknown, other: unknown) =>
    one === other ? [] : [`${what} differ: ${one ?? 'unknown'} and ${other ?? 'unknown'}`];
  return [
    ...differ('the commits', a.git?.sha.slice(0, 12), b.git?.sha.slice(0, 12)),
    ...(a.git?.dirty || b.git?.dirty ? ['files had changed since the commit'] : []),
    ...differ('the control architectures', a.control, b.control),
  ];
}
