import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { subunit as ownReader } from '../harness/results/subunit.ts';
import { DEFAULT_LIMITS } from '../harness/results/types.ts';
import { fixtureRun, hostileRun } from './fixtures/run.ts';
import { renderSubunit } from './subunit.ts';

const run = await fixtureRun();
const write = (of = run) => renderSubunit(of, { folder: 'runs/one' });
const limits = { ...DEFAULT_LIMITS, text: 2 ** 23 };

test('our own reader finds every test, with its time and failure', () => {
  const { tests, problems } = ownReader.read(write(), limits);
  expect(problems).toEqual([]);
  const failed = tests.filter(({ verdict }) => verdict === 'failed');
  expect(failed.map(({ name }) => name)).toEqual([
    'amd64/vm/web › counter.scenario.ts › counter > survives a power cycle',
    'arm64/vm/web › counter.scenario.ts › counter > is right after 8 clients increment it 100 times each',
    'arm64/vm/web › counter.scenario.ts › counter > survives a power cycle',
    'ppc64le/vm/web › harness › deploy',
  ]);
  expect(failed[1]).toMatchObject({ durationMs: 8123 });
  expect(failed[1]!.details).toContain('expected 797 to be 800');
});

test('a non-voting failure is an expected one, and long text takes several packets', () => {
  const quiet = { ...run, cells: run.cells.map((cell) => ({ ...cell, voting: false })) };
  const verdicts = ownReader.read(write(quiet), limits).tests.map(({ verdict }) => verdict);
  expect(verdicts).toContain('expected failure');
  expect(verdicts).not.toContain('failed');
  const [cell] = run.cells;
  const output = 'x'.repeat(5 * 2 ** 20);
  const long = { ...run, cells: [{ ...cell!, tests: [{ ...cell!.tests[0]!, output }] }] };
  const { tests, problems } = ownReader.read(write(long), limits);
  expect(problems).toEqual([]);
  expect(tests[0]!.output!.length).toBeGreaterThan(4 * 2 ** 20);
});

test('guest output stays within its packet', () => {
  const { tests, problems } = ownReader.read(write(hostileRun(run)), limits);
  expect(problems).toEqual([]);
  expect(tests.map(({ verdict }) => verdict)).toEqual(['failed', 'passed', 'skipped', 'failed', 'passed']);
});

function hasSubunit(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import subunit, testtools'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.runIf(hasSubunit())("Debian's python3-subunit reads the same", () => {
  const script = `import json, sys, subunit, testtools
tests = []
case = testtools.StreamToDict(tests.append)
case.startTestRun()
subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name="garbage").run(case)
case.stopTestRun()
print(json.dumps([[test["id"], test["status"], sorted(test["tags"])] for test in tests]))`;
  const read = JSON.parse(
    execFileSync('/usr/bin/python3', ['-c', script], { input: write(), encoding: 'utf8' }),
  ) as unknown[];
  const words = { passed: 'success', failed: 'fail', skipped: 'skip', 'expected failure': 'xfail' } as const;
  const own = ownReader
    .read(write(), limits)
    .tests.map(({ name, verdict }) => [name, words[verdict as 'passed'], expect.anything()]);
  expect(read).toEqual(own);
  expect(read[0]).toEqual([
    'amd64/vm/smoke › machine.scenario.ts › uname says the architecture',
    'success',
    ['amd64', 'smoke', 'vm'],
  ]);
});
