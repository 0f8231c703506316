import { expect, test } from 'vitest';
import type { CellResult } from '../../harness/events/result.ts';
import { largeRun } from '../fixtures/large-run.ts';
import { failureOf, failuresOf, flakyOf, groupsOf } from './failures-model.ts';

const run = largeRun({ suites: 3, tests: 50 });

test('failures that differ only in numbers share one card, and failures of only some architectures come first', () => {
  const failures = failuresOf(run);
  expect(failures).toHaveLength(13);
  const groups = groupsOf(failures);
  expect(groups.map((group) => [group.length, group[0].errors[0]!.message.replace(/\d+$/, '')])).toEqual([
    [10, 'connect ECONNREFUSED 127.0.0.1:'],
    [3, 'no such table: users'],
  ]);
});

test('cells that do not vote come last', () => {
  const cells = run.cells.map((cell) => ({ ...cell, voting: cell.suite !== 'suite-000' }));
  expect(groupsOf(failuresOf({ cells })).map(([{ cell }]) => cell.suite)).toEqual(['suite-001', 'suite-000']);
});

test('errors with the same message but different diffs are not the same', () => {
  const [cell] = run.cells as [CellResult];
  const failed = (name: string, diff: string) => ({
    ...cell.tests[0]!,
    name,
    verdict: 'failed' as const,
    attempts: [
      { verdict: 'failed' as const, durationMs: 1, errors: [{ type: 'AssertionError', message: 'not equal', diff }] },
    ],
  });
  const tests = [failed('one', '- a\n+ b'), failed('two', '- a\n+ b'), failed('three', '- a\n+ c')];
  expect(groupsOf(failuresOf({ cells: [{ ...cell, tests }] })).map(({ length }) => length)).toEqual([2, 1]);
});

test('a cell that lost its tests has one failure for all that never ran, and its tests lead there', () => {
  const [cell] = run.cells as [CellResult];
  const tests = cell.tests.map(({ startedAt: _, ...one }) => ({
    ...one,
    verdict: 'incomplete' as const,
    attempts: [],
  }));
  const lost: CellResult = { ...cell, verdict: 'infra', reason: 'it died', tests };
  const failures = failuresOf({ cells: [lost] });
  expect(failures).toMatchObject([{ what: '50 tests never ran', verdict: 'incomplete' }]);
  expect(failureOf(lost, tests[7]!)).toBe(failures[0]!.id);
});

test('every failed and flaky test links to its card, and no other does', () => {
  const ids = new Set([...failuresOf(run), ...flakyOf(run)].map(({ id }) => id));
  for (const cell of run.cells)
    for (const one of cell.tests) {
      const id = failureOf(cell, one);
      if (one.verdict === 'passed') expect(id).toBeUndefined();
      else expect(ids).toContain(id);
    }
  expect(ids.size).toBe(14);
});
