import { FILE_ITSELF, type TestName, testKey, testNames } from '../events/identity.ts';
import type { CellResult, TestResult } from '../events/result.ts';

/** The outcome of a test on one kind of target, in the terms of a comparison. */
export interface Outcome {
  /** `not run`: skipped, unsupported or not there; `broken`: something else ended it. */
  readonly state: 'passed' | 'failed' | 'not run' | 'broken';
  /** It passed on a later attempt. */
  readonly flaky?: true;
  /** For a failure: the first line of its last message. */
  readonly message?: string;
  /** Why it did not run, or what broke. */
  readonly reason?: string;
}

export interface TestOutcome extends TestName {
  readonly outcome: Outcome;
}

/** A cell's tests; `absent` is the outcome of a test that it does not have. */
export interface CellOutcomes {
  readonly tests: ReadonlyMap<string, TestOutcome>;
  absent(test: TestName): Outcome;
}

/**
 * Whether two failures have the same message, ignoring numbers and identifiers: ports and times differ in any two runs.
 */
export function sameMessage(one: Outcome, other: Outcome): boolean {
  const gist = ({ message = '' }: Outcome) =>
    message.replaceAll(/\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b/gi, '#').replaceAll(/\d+(?:\.\d+)?/g, '#');
  return gist(one) === gist(other);
}

/**
 * The outcomes of a cell's tests by their identity.
 * @param target the kind of target, for people.
 */
export function outcomesOf(cell: CellResult | undefined, target: string): CellOutcomes {
  const tests = new Map<string, TestOutcome>();
  for (const [index, which] of testNames(cell?.tests ?? []).entries())
    tests.set(testKey(which), { ...which, outcome: outcomeOf(cell!.tests[index]!, cell!, target) });
  return { tests, absent: (test) => absence(test, cell, target) };
}

function outcomeOf(test: TestResult, cell: CellResult, target: string): Outcome {
  switch (test.verdict) {
    case 'passed':
      return { state: 'passed' };
    case 'flaky':
      return { state: 'passed', flaky: true };
    case 'failed':
      return { state: 'failed', message: messageOf(test) };
    case 'skipped':
      return { state: 'not run', reason: `skipped on ${target}: ${test.note ?? 'no reason given'}` };
    case 'incomplete':
      return { state: 'broken', reason: `never finished on ${target}${cell.reason ? `: ${cell.reason}` : ''}` };
    default:
      return { state: 'broken', reason: `${test.verdict} on ${target}: ${messageOf(test)}` };
  }
}

/** Why a cell has no such test. */
function absence({ file, name }: TestName, cell: CellResult | undefined, target: string): Outcome {
  const ofFile = cell?.tests.filter((test) => test.file === file) ?? [];
  // Files that could be read have no entry unless something was wrong with them.
  if (name === FILE_ITSELF && ofFile.length > 0) return { state: 'passed' };
  const broken = ofFile.find((test) => test.name === FILE_ITSELF);
  if (broken) return outcomeOf(broken, cell!, target);
  if (!cell) return { state: 'not run', reason: `no cell on ${target}` };
  const because = cell.reason ? `: ${cell.reason}` : '';
  if (cell.verdict === 'unsupported') return { state: 'not run', reason: `unsupported on ${target}${because}` };
  // Its stack did not come up, so none of its tests could pass.
  if (cell.verdict === 'failed' && cell.tests.length === 0)
    return { state: 'failed', message: cell.reason ?? 'the cell failed' };
  // The files were read, so a test that is missing does not exist.
  if (cell.tests.length > 0 && cell.verdict !== 'incomplete') return { state: 'not run', reason: `not on ${target}` };
  return { state: 'broken', reason: `${cell.verdict} on ${target}${because}` };
}

/** The first line of a test's last message. */
function messageOf({ attempts }: TestResult): string {
  const said = attempts.at(-1)?.errors[0]?.message ?? '';
  return (
    said
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}
