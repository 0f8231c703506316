import { expect, test } from 'vitest';
import type { TestCase, TestModule } from 'vitest/node';
import type { HarnessEvent } from '../events/types.ts';
import type { ScenarioContext } from './context.ts';
import { eventReporter } from './reporter.ts';

/** What vitest gives its reporters of a file with tests of these names, as far as ours asks. */
function vitestsOwn(...names: string[]): { module: TestModule; tests: TestCase[] } {
  const tests: unknown[] = [];
  const module = { id: '7', moduleId: '/suites/s/a.scenario.ts', children: { allTests: () => tests } };
  for (const [index, fullName] of names.entries())
    tests.push({
      ...{ id: `7_${index}`, fullName, module, meta: () => ({}) },
      diagnostic: () => ({ duration: 5 }),
      result: () => ({ state: 'passed' }),
      attempts: () => [{ state: 'passed', duration: 5 }],
    });
  return { module: module as unknown as TestModule, tests: tests as TestCase[] };
}

const context = { cell: 'amd64/vm/s', step: 'scenarios', suite: { folder: '/suites/s' } } as ScenarioContext;

function recorded(tests?: ScenarioContext['tests']) {
  const events: HarnessEvent[] = [];
  const reporter = eventReporter({ ...context, ...(tests ? { tests } : {}) }, (report) => {
    if (report.type === 'event') events.push(report.event);
  });
  const told = () => events.map((event) => [event.type, 'name' in event ? event.name : '']);
  return { reporter, told };
}

test('planned, started and ended are reported in that order', () => {
  const { module, tests } = vitestsOwn('group > one', 'two');
  const { reporter, told } = recorded();
  reporter.onTestModuleCollected?.(module);
  for (const each of tests) {
    reporter.onTestCaseReady?.(each);
    reporter.onTestCaseResult?.(each);
  }
  expect(told()).toEqual([
    ['tests.planned', ''],
    ['test.started', 'group > one'],
    ['test.finished', 'group > one'],
    ['test.started', 'two'],
    ['test.finished', 'two'],
  ]);
});

test('even if vitest reports an end first, every test ends', () => {
  const { module, tests } = vitestsOwn('group > one');
  const { reporter, told } = recorded();
  reporter.onTestCaseResult?.(tests[0]!);
  reporter.onTestCaseReady?.(tests[0]!);
  reporter.onTestModuleCollected?.(module);
  expect(told()).toEqual([
    ['tests.planned', ''],
    ['test.started', 'group > one'],
    ['test.finished', 'group > one'],
  ]);
});

test('unselected tests are not reported', () => {
  const { module, tests } = vitestsOwn('one', 'two');
  const { reporter, told } = recorded({ only: [{ file: 'a.scenario.ts', test: 'two' }] });
  reporter.onTestModuleCollected?.(module);
  for (const each of tests) reporter.onTestCaseResult?.(each);
  expect(told()).toEqual([
    ['tests.planned', ''],
    ['test.started', 'two'],
    ['test.finished', 'two'],
  ]);
});
