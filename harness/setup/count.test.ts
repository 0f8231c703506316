import { expect, test } from 'vitest';
import { closingLine, countTests } from './count.mjs';

function file(status: string, ...tests: string[]) {
  return { status, assertionResults: tests.map((one) => ({ status: one })) };
}

test('counts tests; what neither passed nor failed was skipped', () => {
  const counts = countTests({
    testResults: [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'passed', 'failed', 'pending')],
  });
  expect(closingLine(counts)).toBe('2 passed, 1 failed, 3 skipped');
});

test('a file that could not be read is a failure', () => {
  expect(countTests({ testResults: [file('failed'), file('failed', 'passed')] })).toEqual({
    passed: 1,
    failed: 2,
    skipped: 0,
  });
});

test('an empty report', () => {
  expect(closingLine(countTests({}))).toBe('0 passed, 0 failed, 0 skipped');
});
