import { posix } from 'node:path';
import { labelOf, testKey } from '../harness/events/identity.ts';
import { quarantineSentence } from '../harness/events/quarantine.ts';
import type { CellResult, StepResult, TestResult } from '../harness/events/result.ts';
import type { Attempt, ErrorData } from '../harness/events/types.ts';
import { verdicts, wentWrong } from '../harness/events/verdicts.ts';
import type { Rerun } from './junit-extras.ts';
import { fileOf } from './junit-file.ts';
import { describeError, firstLine, visible } from './text.ts';
import { transcript } from './transcript.ts';

/** The content of a `<testcase>`. All strings are printable. */
export interface CaseOutcome {
  readonly name: string;
  /** From the repository's root. */
  readonly place?: { readonly file: string; readonly line?: number };
  readonly durationMs: number;
  readonly state: 'passed' | 'failure' | 'error' | 'skipped';
  /** First line. */
  readonly message?: string;
  readonly type?: string;
  readonly text?: string;
  readonly reruns?: readonly Rerun[];
  readonly systemOut?: string;
}

/** A test as a case. @param folder the run's, from the repository's root. */
export function outcomeOfTest(test: TestResult, cell: CellResult, folder: string): CaseOutcome {
  const outcome = stateOfTest(test, cell);
  const bad = outcome.state === 'failure' || outcome.state === 'error' || test.verdict === 'flaky';
  const systemOut = [outcome.systemOut, test.output && visible(test.output), ...(bad ? attachments(cell, folder) : [])];
  return { ...outcome, ...placed(fileOf(cell, test)), systemOut: systemOut.filter(Boolean).join('\n') };
}

function placed(place: CaseOutcome['place']): Pick<CaseOutcome, 'place'> {
  return place ? { place } : {};
}

/** The cell's files in the form for GitLab and Jenkins: one line each, with the path from the repository's root. */
function attachments(cell: CellResult, folder: string): string[] {
  return cell.artifacts.map((file) => `[[ATTACHMENT|${visible(posix.join(folder, file))}]]`);
}

/** A non-voting failure, for readers that know no votes. */
export function withoutVote(outcome: CaseOutcome): CaseOutcome {
  if (outcome.state !== 'failure' && outcome.state !== 'error') return outcome;
  const { type: _type, reruns: _reruns, ...rest } = outcome;
  return { ...rest, state: 'skipped', message: `non-voting: ${outcome.message ?? ''}` };
}

function stateOfTest(test: TestResult, cell: CellResult): CaseOutcome {
  const base = { name: visible(labelOf(test)) || '(no name)', durationMs: test.durationMs };
  const attempts = [...attemptsBefore(test, cell), ...test.attempts];
  const failed = attempts.filter(({ verdict }) => verdict !== 'passed');
  const quarantine = test.quarantine ? visible(quarantineSentence(test.quarantine)) : '';
  switch (test.verdict) {
    case 'passed':
    case 'flaky':
      if (failed.length === 0) return { ...base, state: 'passed', ...(quarantine ? { systemOut: quarantine } : {}) };
      return {
        ...base,
        state: 'passed',
        reruns: failed.map((attempt) => rerun(attempt, 'flaky')),
        systemOut: joined(`flaky: ${failed.length} of ${attempts.length} attempts failed`, quarantine),
      };
    case 'skipped':
      return { ...base, ...skipped(test.note ?? 'skipped') };
    case 'incomplete': {
      const why = cell.reason ? `: ${cell.reason}` : '';
      if (test.startedAt === undefined) return { ...base, ...skipped(`never ran${why}`) };
      const message = firstLine(`never finished${why}`);
      return { ...base, state: 'error', type: 'Incomplete', message, text: message };
    }
    default: {
      const [first, ...later] = failed;
      const { state, ...what } = explain(first, test.verdict);
      const control = test.control ? `control: ${test.control}` : '';
      return {
        ...base,
        state,
        ...what,
        reruns: later.map((attempt) => rerun(attempt, 'rerun')),
        systemOut: joined(control, quarantine, first ? visible(transcript(first)) : ''),
      };
    }
  }
}

/** The results of a test on earlier machines. */
function attemptsBefore(test: TestResult, { earlier = [] }: CellResult): Attempt[] {
  return earlier.flatMap(({ tests }) =>
    tests.filter((one) => testKey(one) === testKey(test)).flatMap(({ attempts }) => attempts),
  );
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}

/** A case for the machines of a cell, if one failed and another replaced it. */
function machineCase({ earlier = [], verdict }: CellResult): CaseOutcome[] {
  if (earlier.length === 0) return [];
  const kind = verdict === 'passed' || verdict === 'flaky' ? 'flaky' : 'rerun';
  const reruns = earlier.map((attempt): Rerun => {
    const reason = attempt.reason ?? `the cell was ${attempt.verdict}`;
    const errors = attempt.steps.flatMap(({ error }) => (error ? [describeError(error)] : []));
    const kept = attempt.artifacts.length > 0 ? `kept of it:\n${attempt.artifacts.join('\n')}` : '';
    return {
      element: `${kind}Error`,
      message: firstLine(reason),
      type: attempt.verdict,
      text: errors.join('\n\n') || visible(reason),
      systemOut: visible(kept),
    };
  });
  const durationMs = earlier.reduce((sum, attempt) => sum + attempt.durationMs, 0);
  if (kind === 'flaky') return [{ name: 'machine', durationMs, state: 'passed', reruns }];
  const [{ message, type, text }, ...later] = reruns as [Rerun, ...Rerun[]];
  return [{ name: 'machine', durationMs, state: 'error', message, type, text, reruns: later }];
}

/** Cases for failures of a cell outside of its tests; none if its tests say everything. */
export function outcomesOfHarness(cell: CellResult, folder: string): CaseOutcome[] {
  const place = placed(fileOf(cell));
  return statesOfHarness(cell).map((outcome) => ({
    ...outcome,
    ...place,
    ...(outcome.state === 'error' ? { systemOut: attachments(cell, folder).join('\n') } : {}),
  }));
}

function statesOfHarness(cell: CellResult): CaseOutcome[] {
  return [...machineCase(cell), ...lastMachine(cell)];
}

function lastMachine(cell: CellResult): CaseOutcome[] {
  const steps = cell.steps.filter((step) => step.error !== undefined || failedWithoutTests(step)).map(outcomeOfStep);
  if (steps.some(({ state }) => state === 'error')) return steps;
  const reason = cell.reason ?? `the cell is ${cell.verdict}`;
  const base = { name: 'cell', durationMs: cell.tests.length > 0 ? 0 : cell.durationMs };
  if (verdicts[cell.verdict].junit === 'skipped') {
    return [...steps, { ...base, ...skipped(`${cell.verdict}: ${reason}`) }];
  }
  const testsTell = cell.tests.some(wentWrong);
  const green = cell.verdict === 'passed' || cell.verdict === 'flaky';
  if (green && cell.tests.length > 0) return steps;
  if (green) return [...steps, { ...base, ...skipped('no test ran') }];
  if (testsTell && cell.verdict !== 'incomplete') return steps;
  return [...steps, { ...base, state: 'error', type: cell.verdict, message: firstLine(reason), text: visible(reason) }];
}

/** A failed step without tests that would show it. */
function failedWithoutTests({ step, verdict }: StepResult): boolean {
  return verdicts[verdict].bad && step !== 'tests' && step !== 'scenarios' && step !== 'benchmarks';
}

function outcomeOfStep({ step, verdict, durationMs, error, note }: StepResult): CaseOutcome {
  const reason = note ?? (verdict === 'incomplete' ? 'never finished' : `the step is ${verdict}`);
  return {
    name: step,
    durationMs,
    state: 'error',
    type: visible(error?.type ?? verdict),
    message: firstLine(error?.message ?? reason) || reason,
    text: error ? describeError(error) : visible(reason),
  };
}

function skipped(reason: string): Pick<CaseOutcome, 'state' | 'message' | 'text'> {
  return { state: 'skipped', message: firstLine(reason), text: visible(reason) };
}

function explain(attempt: Attempt | undefined, verdict: string) {
  const [error] = attempt?.errors ?? [];
  const text = (attempt?.errors ?? []).map(describeError).join('\n\n');
  return {
    state: isAssertion(verdict, error) ? ('failure' as const) : ('error' as const),
    message: firstLine(error?.message ?? '') || `the test is ${verdict}`,
    type: visible(error?.type ?? verdict) || verdict,
    text: text || `the test is ${verdict}, without an error`,
  };
}

function rerun(attempt: Attempt, kind: 'flaky' | 'rerun'): Rerun {
  const { state, ...what } = explain(attempt, attempt.verdict);
  const systemOut = visible(transcript(attempt));
  return { element: state === 'failure' ? `${kind}Failure` : `${kind}Error`, ...what, systemOut };
}

/** As in JUnit: a `failure` is a failed check, an `error` anything else that went wrong. */
function isAssertion(verdict: string, error: ErrorData | undefined): boolean {
  return verdict === 'failed' && (error === undefined || error.diff !== undefined || /assert/i.test(error.type));
}
