import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Attempt, TestFinished } from '../events/types.ts';
import { fileInSuite, isChosen, type ScenarioContext } from './context.ts';
import type { SuiteReport } from './messages.ts';
import { errorData, type ThrownError, verdictOf } from './thrown.ts';

/**
 * Turns vitest's reports into events and sends each at once, in the order in which things happen: what is planned, what
 * begins, what ends. vitest reports a batch without waiting for the one before: on a busy host a test ends before it begins.
 */
export function eventReporter(context: ScenarioContext, send: (report: SuiteReport) => void): Reporter {
  const { cell, step, suite } = context;
  const told = new Set<string>();
  const once = (what: 'planned' | 'begun', id: string, tell: () => void) => {
    if (told.has(`${what} ${id}`)) return;
    told.add(`${what} ${id}`);
    tell();
  };
  const fileOf = (module: TestModule) => fileInSuite(suite, module.moduleId);
  // vitest reports what it was told to leave out as skipped, which would be the suite's word: it is not reported here.
  const isReported = (test: TestCase) => isChosen(context, fileOf(test.module), test.fullName);
  const plan = (module: TestModule) =>
    once('planned', module.id, () => {
      const tests = [...module.children.allTests()]
        .filter(isReported)
        .map((test) => ({ file: fileOf(module), name: test.fullName }));
      send({ type: 'event', event: { type: 'tests.planned', cell, step, tests } });
    });
  const begin = (test: TestCase) =>
    once('begun', test.id, () => {
      plan(test.module);
      send({ type: 'event', event: { type: 'test.started', cell, file: fileOf(test.module), name: test.fullName } });
    });
  return {
    onTestModuleCollected: plan,
    onTestCaseReady(test) {
      if (isReported(test)) begin(test);
    },
    onTestCaseResult(test) {
      if (!isReported(test)) return;
      begin(test);
      for (const measurement of test.meta().measurements ?? []) {
        const where = { cell, file: fileOf(test.module), test: test.fullName };
        send({ type: 'event', event: { type: 'benchmark.finished', ...where, measurement } });
      }
      send({ type: 'event', event: testFinished(test, fileOf(test.module), context) });
    },
    onTestModuleEnd(module) {
      // A file that could not be read, or whose hooks failed, has no test that says so.
      const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((group) => group.errors())];
      if (errors.length === 0) return;
      const data = errors.map((error) => errorData(error as ThrownError, suite));
      const attempt: Attempt = {
        verdict: verdictOf(data),
        durationMs: Math.round(module.diagnostic().collectDuration),
        errors: data,
      };
      send({
        type: 'event',
        event: {
          type: 'test.finished',
          cell,
          step,
          file: fileOf(module),
          name: '(the file itself)',
          verdict: attempt.verdict,
          durationMs: attempt.durationMs,
          attempts: [attempt],
        },
      });
    },
    onUserConsoleLog(log) {
      send({ type: 'printed', text: log.content });
    },
  };
}

function testFinished(test: TestCase, file: string, { cell, step, suite }: ScenarioContext): TestFinished {
  const common = {
    type: 'test.finished' as const,
    cell,
    step,
    file,
    name: test.fullName,
    ...(test.location ? { line: test.location.line } : {}),
    durationMs: Math.round(test.diagnostic()?.duration ?? 0),
  };
  const result = test.result();
  if (result.state === 'skipped' || result.state === 'pending') {
    return {
      ...common,
      verdict: 'skipped',
      attempts: [],
      note: (result.state === 'skipped' && result.note) || 'skipped in the suite',
    };
  }
  const attempts = test.attempts().map((attempt): Attempt => {
    const errors = (attempt.errors ?? []).map((error) => errorData(error as ThrownError, suite));
    return {
      verdict: attempt.state === 'passed' ? 'passed' : verdictOf(errors),
      durationMs: Math.round(attempt.duration ?? 0),
      errors,
    };
  });
  if (attempts.length === 0) {
    const errors = (result.errors ?? []).map((error) => errorData(error as ThrownError, suite));
    attempts.push({
      verdict: result.state === 'passed' ? 'passed' : verdictOf(errors),
      durationMs: common.durationMs,
      errors,
    });
  }
  const verdict =
    result.state === 'passed' ? (attempts.length > 1 ? 'flaky' : 'passed') : (attempts.at(-1)?.verdict ?? 'failed');
  return { ...common, verdict, attempts };
}
