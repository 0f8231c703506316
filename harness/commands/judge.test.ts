import { expect, test } from 'vitest';
import type { ForeignResults, ForeignTest } from '../results/index.ts';
import { type Finished, judge } from './judge.ts';
import type { CommandEnd } from './runner.ts';

const END: CommandEnd = { exitCode: 0, late: false, silentSeconds: 0, lostBytes: 0, left: [], durationMs: 1000 };
const named = (name: string, verdict: ForeignTest['verdict'], more: Partial<ForeignTest> = {}): ForeignTest => ({
  id: name,
  suites: [],
  name,
  verdict,
  ...more,
});
const PASSED: ForeignResults = { tests: [named('a', 'passed')], problems: [] };

/** Verdict, name and first message of each test. */
function told(finished: Partial<Omit<Finished, 'end'>> & { end?: Partial<CommandEnd> }): string[] {
  const { end, ...rest } = finished;
  const ended = { ...END, ...end };
  if (end?.signal !== undefined) delete (ended as { exitCode?: number }).exitCode;
  return judge({ label: 'make check', deadlineMs: 6000, tail: [], ...rest, end: ended }).map(
    ({ verdict, file, name, attempts, note }) =>
      [verdict, `${file}/${name}`, attempts.at(-1)?.errors[0]?.message ?? note].filter(Boolean).join(' '),
  );
}

test('without results a command is one test', () => {
  expect(told({})).toEqual(['passed command/make check']);
  expect(told({ end: { exitCode: 2 }, tail: ['x', 'Error 2'] })).toEqual([
    'failed command/make check `make check` exited with 2: Error 2',
  ]);
});

test('with results it has their tests, and no other if all is well', () => {
  expect(told({ results: PASSED })).toEqual(['passed make check/a']);
  const red = { tests: [named('a', 'passed'), named('b', 'failed', { message: 'no' })], problems: [] };
  expect(told({ results: red, end: { exitCode: 1 } })).toEqual(['passed make check/a', 'failed make check/b no']);
});

test.each<[string, Parameters<typeof told>[0], string]>([
  [
    'an exit code that no test explains',
    { results: PASSED, end: { exitCode: 3 } },
    'exited with 3, and no test of its results failed',
  ],
  [
    'a file that is not there',
    { results: { tests: [], problems: [{ kind: 'missing', severity: 'error', message: 'r.xml is not there' }] } },
    'exited with 0, and its results are not whole: r.xml is not there',
  ],
  [
    'a file that is cut short, although nothing in it failed',
    { results: { ...PASSED, problems: [{ kind: 'truncated', severity: 'error', message: 'it ends in the middle' }] } },
    'exited with 0, and its results are not whole: it ends in the middle',
  ],
  ['a signal', { results: PASSED, end: { signal: 11 } }, 'was ended by SIGSEGV'],
  [
    'a deadline',
    { end: { late: true, signal: 15, silentSeconds: 5 } },
    'did not end within 6 s; it had printed nothing for 5 s',
  ],
  [
    'a program that is not there',
    { end: { exitCode: 127, problem: 'make: No such file or directory' } },
    'could not be started: make: No such file or directory',
  ],
  [
    'results in too much output',
    { results: PASSED, printed: true, end: { lostBytes: 1 } },
    'printed more than 16 MiB, so that its results are not whole',
  ],
  ['a full disk', { end: { exitCode: 1, freeBytes: 4096 } }, "exited with 1; the machine's disk is full"],
])('the command itself fails by %s', (_, finished, message) => {
  expect(told(finished).at(-1)).toBe(`failed command/make check \`make check\` ${message}`);
});

test('other facts about a test are kept', () => {
  const results: ForeignResults = {
    tests: [
      named('skip', 'skipped', { reason: 'no hardware' }),
      named('xfail', 'expected failure', { reason: 'bug 7' }),
      named('todo', 'unexpected success', { allowed: true }),
      named('xpass', 'unexpected success'),
      named('error', 'error', { message: 'broke', details: 'at x' }),
      named('flaky', 'flaky', { attempts: [{ verdict: 'failed', message: 'once' }, { verdict: 'passed' }] }),
    ],
    problems: [{ kind: 'garbage', severity: 'warning', message: 'a line was passed over' }],
  };
  expect(told({ results, end: { exitCode: 1 } })).toEqual([
    'skipped make check/skip no hardware',
    'passed make check/xfail failed as expected: bug 7',
    'passed make check/todo passed, and was expected to fail',
    'failed make check/xpass passed, and was expected to fail',
    'failed make check/error broke',
    'flaky make check/flaky',
  ]);
  const [, , , , error] = judge({ label: 'x', deadlineMs: 1, tail: [], end: END, results });
  expect(error!.attempts[0]!.errors).toEqual([{ type: 'Error', message: 'broke', stack: 'at x' }]);
});

test('the place and the output of a test are kept', () => {
  const results = {
    tests: [named('a', 'passed', { file: 'a_test.c', line: 7, output: 'x'.repeat(20_000) })],
    problems: [],
  };
  const [one] = judge({ label: 'x', deadlineMs: 1, tail: [], end: END, results });
  expect(one).toMatchObject({ place: { file: 'a_test.c', line: 7 } });
  expect(one!.output).toHaveLength(16_384);
});
