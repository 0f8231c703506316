import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { junitXml } from '@allurereport/reader';
import { BufferResultFile, type RawTestResult } from '@allurereport/reader-api';
import { convertJUnitToCTRFReport } from 'junit-to-ctrf';
import { parse as junit2json, type TestSuites } from 'junit2json';
import { parseV2 } from 'test-results-parser';
import { beforeAll, expect, test } from 'vitest';
import { foldEvents } from '../harness/events/fold.ts';
import { labelOf } from '../harness/events/identity.ts';
import { readEvents } from '../harness/events/reader.ts';
import { renderJunit } from './junit.ts';

/** Reads junit.xml with other programs: each test by name, with its outcome. */
type Read = Readonly<Record<string, 'passed' | 'failed' | 'skipped'>>;

const { events } = await readEvents(join(import.meta.dirname, 'fixtures', 'events.jsonl'));
const run = foldEvents(events);
const xml = renderJunit(run);

/** The run's own tests; for a reader also failures outside of tests. */
const expected: Read = Object.fromEntries(
  run.cells.flatMap((cell) =>
    cell.tests.map((one) => {
      const bad =
        ['failed', 'infra', 'emulator'].includes(one.verdict) || (one.verdict === 'incomplete' && one.startedAt);
      const outcome = bad ? (cell.voting ? 'failed' : 'skipped') : undefined;
      const name = `${labelOf(one)} [${cell.name}]`;
      return [name, outcome ?? (['passed', 'flaky'].includes(one.verdict) ? 'passed' : 'skipped')];
    }),
  ),
);

let file: string;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'junit-readers-'));
  file = join(folder, 'junit.xml');
  await writeFile(file, xml);
  return () => rm(folder, { recursive: true });
});

async function byJunitToCtrf(): Promise<Read> {
  const report = await convertJUnitToCTRFReport(file);
  return Object.fromEntries(report!.results.tests.map(({ name, status }) => [name, status as Read[string]]));
}

async function byJunit2json(): Promise<Read> {
  const { testsuite = [] } = (await junit2json(xml)) as TestSuites;
  return Object.fromEntries(
    testsuite.flatMap(({ testcase = [] }) =>
      testcase.map(({ name, failure, error, skipped }) => [
        name!,
        failure || error ? 'failed' : skipped ? 'skipped' : 'passed',
      ]),
    ),
  );
}

async function byTestResultsParser(): Promise<Read> {
  const { result } = parseV2({ type: 'junit', files: [file] });
  const words = { PASS: 'passed', FAIL: 'failed', ERROR: 'failed', SKIP: 'skipped' } as const;
  return Object.fromEntries(
    result.suites.flatMap(({ cases }) =>
      cases.map(({ name, status }) => [name, words[status as keyof typeof words] ?? status]),
    ),
  );
}

async function byAllure(): Promise<Read> {
  const found: RawTestResult[] = [];
  const nothing = async () => {};
  const visitor = {
    visitTestResult: async (result: RawTestResult) => void found.push(result),
    visitCheckResult: nothing,
    visitMetrics: nothing,
    visitTestFixtureResult: nothing,
    visitAttachmentFile: nothing,
    visitMetadata: nothing,
    visitGlobals: nothing,
  };
  expect(await junitXml.read(visitor, new BufferResultFile(Buffer.from(xml), 'junit.xml'))).toBe(true);
  // It decodes no entities, not even in names.
  return Object.fromEntries(
    found.map(({ name, status }) => [decoded(name!), status === 'broken' ? 'failed' : (status as Read[string])]),
  );
}

function decoded(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

/** Debian's python3-junitparser. */
function byJunitparser(): Read {
  const script = `import json, sys
from junitparser import JUnitXml, Error, Failure, Skipped
words = {Error: "failed", Failure: "failed", Skipped: "skipped"}
print(json.dumps({case.name: words[type(case.result[0])] if case.result else "passed"
                  for suite in JUnitXml.fromfile(sys.argv[1]) for case in suite}))`;
  return JSON.parse(execFileSync('/usr/bin/python3', ['-c', script, file], { encoding: 'utf8' })) as Read;
}

function hasJunitparser(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import junitparser'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['junit-to-ctrf', byJunitToCtrf],
  ['junit2json', byJunit2json],
  ['test-results-parser', byTestResultsParser],
  ["Allure's reader", byAllure],
  ...(hasJunitparser() ? ([['python3-junitparser', async () => byJunitparser()]] as const) : []),
] as const)('%s reads every test by a name of its own, and how it came out', async (_reader, read) => {
  const found = await read();
  expect(found).toMatchObject(expected);
  // The others are of cells without a test that would show it.
  const others = Object.keys(found).filter((name) => !(name in expected));
  expect(others.map((name) => `${name} ${found[name]}`)).toEqual([
    'deploy [ppc64le/vm/web] failed',
    ...['amd64', 'arm64', 'ppc64le'].map((arch) => `cell [${arch}/vm/swarm] skipped`),
  ]);
});

test('junit-to-ctrf has the file, the tries and the message of a failure, and what is flaky', async () => {
  const report = await convertJUnitToCTRFReport(file);
  const tests = Map.groupBy(report!.results.tests, ({ name }) => name);
  const of = (name: string) => tests.get(name)![0];
  expect(of('counter > is right after 8 clients increment it 100 times each [arm64/vm/web]')).toMatchObject({
    filePath: 'tests/suites/web/counter.scenario.ts',
    message: 'expected 797 to be 800 // Object.is equality',
    retryAttempts: [{ status: 'failed', message: 'expected 799 to be 800 // Object.is equality' }],
  });
  expect(of('the clock is within a minute of the host’s [arm64/vm/smoke]')).toMatchObject({ flaky: true, retries: 1 });
});
