import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ForeignResults, type ResultsFormatName, readResults } from './index.ts';

const fixture = async (name: string) => readFile(join(import.meta.dirname, 'fixtures', name));
const load = async (format: ResultsFormatName, name: string) => readResults(format, await fixture(name));

const countsOf = ({ tests }: ForeignResults) =>
  Object.fromEntries([...Map.groupBy(tests, ({ verdict }) => verdict)].map(([verdict, of]) => [verdict, of.length]));

describe('the counts are those of the tool', () => {
  test.each<[ResultsFormatName, string, string, Record<string, number>]>([
    [
      'junit',
      'pytest-xunit1.xml',
      '2 failed, 7 passed, 2 skipped, 1 xfailed, 1 xpassed, 2 errors: an xpass is a pass in the XML, and [XPASS(strict)] a failure; one of the errors is of a test that passed',
      { passed: 7, failed: 1, error: 2, skipped: 2, 'expected failure': 1, 'unexpected success': 1 },
    ],
    [
      'junit',
      'pytest-xunit2.xml',
      'the same',
      { passed: 7, failed: 1, error: 2, skipped: 2, 'expected failure': 1, 'unexpected success': 1 },
    ],
    [
      'junit',
      'ctest.xml',
      '44% tests passed, 5 tests failed out of 9; did not run: skipped and disabled',
      { passed: 2, failed: 4, error: 1, skipped: 2 },
    ],
    [
      'junit',
      'gtest.xml',
      '8 tests ran; PASSED 4, SKIPPED 1, FAILED 3; 1 DISABLED',
      { passed: 4, failed: 3, skipped: 2 },
    ],
    [
      'junit',
      'meson.xml',
      'Ok 1, Expected Fail 1, Fail 4, Unexpected Pass 1, Skipped 1, Timeout 1; a TAP test is three here, and unexpected passes and time-outs are passes in the XML',
      { passed: 5, failed: 3, error: 1, skipped: 2 },
    ],
    ['junit', 'bats.xml', '1..4, of which one fails and one is skipped', { passed: 2, failed: 1, skipped: 1 }],
    [
      'junit',
      'gotestsum.xml',
      'DONE 10 tests, 1 skipped, 5 failures, 1 error: the build error is not in the XML',
      { passed: 4, failed: 5, skipped: 1 },
    ],
    [
      'junit',
      'phpunit.xml',
      'Tests: 8, Errors: 1, Failures: 2, Skipped: 1, Incomplete: 1, Risky: 1 (which is an error in the XML)',
      { passed: 2, failed: 2, error: 2, skipped: 2 },
    ],
    [
      'junit',
      'surefire.xml',
      'Tests run: 6, Failures: 1, Errors: 1, Skipped: 2, Flakes: 1',
      { passed: 1, failed: 1, error: 1, skipped: 2, flaky: 1 },
    ],
    [
      'junit',
      'jest.xml',
      'Test Suites: 2 failed; Tests: 1 failed, 1 skipped, 1 todo, 1 passed: a todo is a pass in the XML, and the broken file is twice in it',
      { passed: 2, failed: 2, error: 1, skipped: 1 },
    ],
    [
      'junit',
      'vitest.xml',
      'Test Files 2 failed; Tests 1 failed, 2 passed, 1 expected fail, 1 skipped, 1 todo: a broken file is a test of its own, an expected failure a pass',
      { passed: 3, failed: 2, skipped: 2 },
    ],
    ['junit', 'nextest-documentation.xml', 'after its documentation', { passed: 1, failed: 1, flaky: 1 }],
    [
      'junit',
      'node.xml',
      'tests 6, pass 2, fail 2, skipped 1, todo 1: the outer test is a suite',
      { passed: 2, failed: 1, skipped: 1, 'expected failure': 1 },
    ],
    ['tap', 'node.tap', 'the same', { passed: 2, failed: 1, skipped: 1, 'expected failure': 1 }],
    ['tap', 'bats.tap', '1..4', { passed: 2, failed: 1, skipped: 1 }],
    ['tap', 'bats-timing.tap', '1..4', { passed: 2, failed: 1, skipped: 1 }],
    [
      'tap',
      'perl.tap',
      'prove: Tests: 8 Failed: 2 (2, 6), 2 skipped, TODO passed: 5; 6 is a subtest with three tests',
      { passed: 4, failed: 2, skipped: 2, 'expected failure': 1, 'unexpected success': 1 },
    ],
    [
      'tap',
      'automake-bad.tap',
      'of TOTAL 6: PASS 1, FAIL 1, XFAIL 1, XPASS 1',
      { passed: 1, failed: 1, 'expected failure': 1, 'unexpected success': 1 },
    ],
    ['tap', 'automake-good.tap', 'of TOTAL 6: PASS 1, SKIP 1', { passed: 1, skipped: 1 }],
    [
      'ktap',
      'kselftest.log',
      'Totals: pass:2 fail:4 skip:1, pass:1 fail:1 xfail:1 skip:1 error:1; a program that is missing, and one that passes',
      { passed: 4, failed: 6, error: 1, skipped: 2, 'expected failure': 1 },
    ],
    [
      'tap',
      'tap-14.tap',
      'total: 7, pass: 3, fail: 1, todo: 1, skip: 2: the todo is ok in the TAP',
      { passed: 3, failed: 1, skipped: 2, 'unexpected success': 1 },
    ],
    ['ktap', 'ktap-specification.log', 'its leaves', { passed: 3, failed: 1, skipped: 2 }],
    [
      'subunit',
      'stestr.subunit',
      'Ran: 7 tests; Passed: 1, Skipped: 1, Expected Fail: 1, Unexpected Success: 1, Failed: 3',
      { passed: 1, skipped: 1, 'expected failure': 1, 'unexpected success': 1, failed: 3 },
    ],
    [
      'subunit',
      'subunit-run.subunit',
      'Total tests: 7, Failed 3, Skipped 1, Passed 3',
      { passed: 1, skipped: 1, 'expected failure': 1, 'unexpected success': 1, failed: 3 },
    ],
    [
      'go-json',
      'go-test.jsonl',
      'go test -v: 9 lines of PASS, FAIL and SKIP, and two packages that failed: one by a test, one by its build',
      { passed: 5, failed: 4, skipped: 1, error: 1 },
    ],
  ])('%s: %s (%s)', async (format, name, _, counts) => {
    const results = await load(format, name);
    expect(countsOf(results)).toEqual(counts);
    expect(results.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(new Set(results.tests.map(({ id }) => id)).size).toBe(results.tests.length);
  });
});

describe('each test has the fields that reports show', () => {
  const find = async (format: ResultsFormatName, name: string, id: string) => {
    const found = (await load(format, name)).tests.find((one) => one.id === id);
    expect(found, `${name}: ${id}`).toBeDefined();
    return found!;
  };

  test.each<[ResultsFormatName, string, string, object]>([
    [
      'junit',
      'pytest-xunit1.xml',
      'pytest › test_sample › test_fails',
      {
        file: 'test_sample.py',
        line: 12,
        message: expect.stringMatching(/^AssertionError: an <angle> & an .*é and ☃/),
      },
    ],
    ['junit', 'pytest-xunit1.xml', 'pytest › test_sample › test_skipped', { reason: 'no such hardware' }],
    [
      'junit',
      'pytest-xunit2.xml',
      'pytest › test_sample › test_unexpected_success_strict',
      { verdict: 'unexpected success', reason: 'bug 43' },
    ],
    [
      'junit',
      'gtest.xml',
      'Sample › FailsTwice',
      { file: 'gtest/t.cc', line: 4, details: expect.stringMatching(/Expected equality[\s\S]*Value of: false/) },
    ],
    ['junit', 'gtest.xml', 'Sample › DISABLED_NotYet', { verdict: 'skipped', reason: 'disabled' }],
    ['junit', 'ctest.xml', 'missing', { verdict: 'error', message: 'Unable to find executable' }],
    ['junit', 'ctest.xml', 'fails', { verdict: 'failed', output: 'what <it> said & more' }],
    [
      'junit',
      'phpunit.xml',
      'SampleTest › SampleTest::testData › testData with data set "three"',
      { verdict: 'failed', line: 13 },
    ],
    [
      'junit',
      'surefire.xml',
      'SampleTest › flaky',
      {
        verdict: 'flaky',
        attempts: [
          { verdict: 'failed', message: 'the first call fails', output: 'attempt', details: expect.any(String) },
          { verdict: 'passed', durationMs: 0 },
        ],
      },
    ],
    ['junit', 'surefire.xml', 'SampleTest › errs', { verdict: 'error', attempts: { length: 3 } }],
    [
      'junit',
      'nextest-documentation.xml',
      'nextest-tests::basic › test_flaky_mod_4',
      {
        verdict: 'flaky',
        attempts: [
          {
            verdict: 'failed',
            durationMs: 5,
            message: "thread 'test_flaky_mod_4' panicked",
            details: "thread 'test_flaky_mod_4' panicked",
            output: "running 1 testthread 'test_flaky_mod_4' panicked",
          },
          { verdict: 'passed', durationMs: 4 },
        ],
      },
    ],
    ['junit', 'jest.xml', 'broken.test.js › Test suite failed to run › broken.test.js', { verdict: 'error' }],
    [
      'tap',
      'perl.tap',
      'inner › innermost › deep',
      { suites: ['inner', 'innermost'], name: 'deep', verdict: 'passed' },
    ],
    ['tap', 'perl.tap', 'all skipped', { verdict: 'skipped', reason: 'no net' }],
    ['tap', 'perl.tap', 'a # in the name', { verdict: 'passed' }],
    ['tap', 'perl.tap', 'already', { verdict: 'unexpected success', allowed: true, reason: 'bug 42' }],
    [
      'tap',
      'bats-timing.tap',
      'fails',
      { message: expect.stringContaining('in test file'), durationMs: expect.any(Number) },
    ],
    [
      'tap',
      'node.tap',
      'outer › inner fails',
      { line: 6, message: 'Expected values to be strictly equal:', durationMs: expect.any(Number) },
    ],
    [
      'ktap',
      'ktap-specification.log',
      'main_test › example_test_3 › test_2',
      { verdict: 'failed', details: 'test_2: FAIL' },
    ],
    [
      'ktap',
      'kselftest.log',
      'selftests: sample: harness › global.fails',
      {
        verdict: 'failed',
        file: 'sample/harness.c',
        line: 4,
        message: 'Expected 1 + 1 (2) == 3 (3)',
        details: expect.stringContaining('one and one are not three'),
      },
    ],
    ['ktap', 'kselftest.log', 'selftests: sample: plain › test 3', { verdict: 'skipped', reason: 'needs hardware' }],
    [
      'ktap',
      'kselftest.log',
      'selftests: sample: missing',
      { verdict: 'failed', details: expect.stringContaining('missing!') },
    ],
    ['tap', 'tap-14.tap', 'arithmetic › inner › breaks', { verdict: 'failed' }],
    ['tap', 'tap-14.tap', 'not yet', { verdict: 'skipped', reason: 'no net' }],
    [
      'subunit',
      'stestr.subunit',
      'sample › test_sample › TestSample › test_fails',
      {
        message: 'testtools.matchers._impl.MismatchError: 1 != 2',
        details: expect.stringMatching(/^Traceback/),
        output: expect.stringContaining('a line of a log'),
      },
    ],
    [
      'subunit',
      'stestr.subunit',
      'setUpClass (sample.test_sample.TestBrokenClass)',
      { verdict: 'failed', message: 'RuntimeError: the class is broken' },
    ],
    [
      'go-json',
      'go-test.jsonl',
      'example.org/sample › TestFails',
      { file: 'sample_test.go', line: 13, message: 'got 1, want 2' },
    ],
    ['go-json', 'go-test.jsonl', 'example.org/sample › TestNoNewline', { verdict: 'passed' }],
    [
      'go-json',
      'go-test.jsonl',
      'example.org/sample/panics › TestPanics',
      { message: 'panic: assignment to entry in nil map [recovered]' },
    ],
    [
      'go-json',
      'go-test.jsonl',
      'example.org/sample/broken › (package)',
      { verdict: 'error', message: expect.stringContaining('[build failed]') },
    ],
  ])('%s %s: %s', async (format, name, id, expected) => {
    expect(await find(format, name, id)).toMatchObject(expected);
  });
});

test('names do not depend on how long a test took', async () => {
  const ids = async (name: string) => (await load('tap', name)).tests.map(({ id }) => id);
  expect(await ids('bats-timing.tap')).toEqual(await ids('bats.tap'));
});
