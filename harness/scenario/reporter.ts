import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';
import { chooser } from '../events/chosen.ts';
import { FILE_ITSELF, numbered, type TestName } from '../events/identity.ts';
import type { Attempt, ErrorData, TestFinished } from '../events/types.ts';
import { fileInSuite, type ScenarioContext } from './context.ts';
import { JournalReader } from './journal.ts';
import { plainOnly } from './left-in-only.ts';
import type { SuiteReport } from './messages.ts';
import { fileError } from './syntax-error.ts';
import { errorData, passedBy, verdictOf, wrongBy } from './thrown.ts';

/**
 * Turns vitest's reports into events and sends each at once, in order: planned, started, ended. vitest reports a batch
 * without waiting for the one before: on a busy host a test ends before it begins.
 */
export function eventReporter(
  context: ScenarioContext,
  send: (report: SuiteReport) => void,
): Reporter & { onTaskUpdate(): void } {
  const { cell, step, suite } = context;
  const reported = new Set<string>();
  const once = (what: 'planned' | 'begun' | 'ended', id: string, tell: () => void) => {
    if (reported.has(`${what} ${id}`)) return;
    reported.add(`${what} ${id}`);
    tell();
  };
  const numbers = new Map<string, number>();
  const fileOf = (module: TestModule) => fileInSuite(suite, module.moduleId);
  // vitest reports unselected tests as skipped, as if the suite had skipped them: they are not reported here.
  const chosen = chooser(context.tests, suite.name);
  const isReported = (test: TestCase) => chosen.test(fileOf(test.module), test.fullName);
  const nameOf = (test: TestCase): TestName => {
    const nth = numbers.get(test.id);
    return { file: fileOf(test.module), name: test.fullName, ...(nth === undefined ? {} : { nth }) };
  };
  const plan = (module: TestModule) =>
    once('planned', module.id, () => {
      const all = [...module.children.allTests()];
      for (const [test, nth] of numbered(all, ({ fullName }) => fullName)) numbers.set(test.id, nth);
      send({ type: 'event', event: { type: 'tests.planned', cell, step, tests: all.filter(isReported).map(nameOf) } });
    });
  const begin = (test: TestCase) =>
    once('begun', test.id, () => {
      plan(test.module);
      send({ type: 'event', event: { type: 'test.started', cell, ...nameOf(test) } });
    });
  const finish = (test: TestCase, outcome: Outcome) =>
    once('ended', test.id, () => {
      begin(test);
      for (const measurement of test.meta().measurements ?? []) {
        const where = { cell, file: fileOf(test.module), test: test.fullName };
        send({ type: 'event', event: { type: 'benchmark.finished', ...where, measurement } });
      }
      const line = test.location ? { line: test.location.line } : {};
      const name = nameOf(test);
      const attempts = withLogs(outcome.attempts, name);
      const event = { type: 'test.finished', cell, step, ...name, ...line, ...outcome, attempts } as const;
      send({ type: 'event', event });
    });
  const journal = new JournalReader(context.journal);
  /** vitest numbers attempts like the runner, which has recorded each before it ended. */
  const withLogs = (attempts: readonly Attempt[], name: TestName): Attempt[] => {
    const noted = journal.attemptsOf(name);
    return attempts.map((attempt, index) => {
      const { startedAt, log } = noted[index] ?? {};
      return { ...attempt, ...(startedAt === undefined ? {} : { startedAt }), ...(log ? { log } : {}) };
    });
  };
  /** Tests that never ran although they were not skipped: the reason is known when their file has ended. */
  const stopped = new Set<TestCase>();
  return {
    onTestModuleCollected: plan,
    onTestCaseReady(test) {
      if (isReported(test)) begin(test);
    },
    onTestCaseResult(test) {
      if (!isReported(test)) return;
      if (wasStopped(test)) stopped.add(test);
      else finish(test, outcomeOf(test, suite));
    },
    onTestModuleEnd(module) {
      plan(module);
      const groups: Group[] = [module, ...module.children.allSuites()];
      const errors = new Map(
        groups.map((group) => [group, group.errors().map((error) => plainOnly(fileError(error, suite)))]),
      );
      // vitest reports no result for a test that failed before it could run, such as one marked `.only`.
      for (const test of module.children.allTests('failed')) if (isReported(test)) finish(test, outcomeOf(test, suite));
      for (const test of stopped) {
        if (test.module !== module) continue;
        stopped.delete(test);
        const why = groupsOf(test).find((group) => errors.get(group)?.length);
        finish(test, why ? failedBefore(errors.get(why)!) : outcomeOf(test, suite));
        if (why) reported.add(`hook ${why.id}`);
      }
      const log = journal.read().hooks.get(fileOf(module));
      if (log) send({ type: 'event', event: { type: 'file.output', cell, step, file: fileOf(module), log } });
      // A file that could not be read, or whose hooks failed after its tests, has no test that shows it.
      const unreported = groups.filter(({ id }) => !reported.has(`hook ${id}`)).flatMap((group) => errors.get(group)!);
      if (unreported.length === 0) return;
      const durationMs = Math.round(module.diagnostic().collectDuration);
      const attempts: Attempt[] = [{ verdict: verdictOf(unreported), durationMs, errors: unreported }];
      const which = { file: fileOf(module), name: FILE_ITSELF };
      const outcome = { verdict: attempts[0]!.verdict, durationMs, attempts };
      send({ type: 'event', event: { type: 'test.finished', cell, step, ...which, ...outcome } });
    },
    onTaskUpdate() {
      send({ type: 'alive' });
    },
  };
}

type Group = TestModule | TestSuite;
type Outcome = Pick<TestFinished, 'verdict' | 'durationMs' | 'attempts' | 'note'>;

/** The groups that a test is in, innermost first. */
function groupsOf(test: TestCase): Group[] {
  const groups: Group[] = [];
  for (let group: Group = test.parent; ; group = group.parent) {
    groups.push(group);
    if (group.type === 'module') return groups;
  }
}

/** Whether vitest calls a test skipped that was selected and did not skip itself. */
function wasStopped(test: TestCase): boolean {
  if (test.result().state !== 'skipped' || test.attempts().length > 0) return false;
  return (['skip', 'todo'] as const).every(
    (mode) =>
      test.options.mode !== mode &&
      !groupsOf(test).some((group) => group.type === 'suite' && group.options.mode === mode),
  );
}

/** The result of a test whose earlier hook failed. */
function failedBefore(errors: readonly ErrorData[]): Outcome {
  const verdict = verdictOf(errors);
  return {
    verdict,
    durationMs: 0,
    attempts: [{ verdict, durationMs: 0, errors }],
    note: 'what it is in failed before it',
  };
}

function outcomeOf(test: TestCase, suite: ScenarioContext['suite']): Outcome {
  const durationMs = Math.round(test.diagnostic()?.duration ?? 0);
  const result = test.result();
  if (result.state === 'skipped' || result.state === 'pending') {
    const note = (result.state === 'skipped' && result.note) || 'skipped in the suite';
    return { verdict: 'skipped', durationMs, attempts: [], note };
  }
  const dataOf = (thrown: readonly unknown[] | undefined) =>
    (thrown ?? []).map((error) => plainOnly(errorData(error, suite)));
  const attempts = test.attempts().map((attempt): Attempt => {
    const errors = dataOf(attempt.errors);
    return {
      verdict: attempt.state === 'passed' ? 'passed' : verdictOf(errors),
      durationMs: Math.round(attempt.duration ?? 0),
      errors,
    };
  });
  if (attempts.length === 0) {
    const errors = dataOf(result.errors);
    attempts.push({ verdict: result.state === 'passed' ? 'passed' : verdictOf(errors), durationMs, errors });
  }
  const verdict = result.state === 'passed' ? passedBy(attempts) : (wrongBy(attempts) ?? 'failed');
  return { verdict, durationMs, attempts };
}
