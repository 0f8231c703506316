import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateXML, type XMLValidationResult } from 'xmllint-wasm';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import { renderJunit } from './junit.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const xsd = await readFile(join(fixtures, 'junit-10.xsd'), 'utf8');
const run = foldEvents((await readEvents(join(fixtures, 'events.jsonl'))).events);

const validate = (xml: string, schema = xsd): Promise<XMLValidationResult> =>
  validateXML({ xml: [{ fileName: 'junit.xml', contents: xml }], schema: [schema] });
const cellWith = (change: Partial<CellResult>): RunResult => ({ ...run, cells: [{ ...run.cells[0]!, ...change }] });

/** Jenkins' schema with the two attributes of a case that it lacks, and nothing else. */
const loosened = xsd.replace(
  '<xs:attribute name="classname"/>',
  '<xs:attribute name="classname"/><xs:attribute name="file"/><xs:attribute name="line" type="xs:unsignedInt"/>',
);

test('the strict profile is valid for Jenkins, the default one adds only file and line', async () => {
  expect(await validate(renderJunit(run, { profile: 'strict' }))).toMatchObject({ errors: [], valid: true });
  expect((await validate(renderJunit(run))).valid).toBe(false);
  expect(await validate(renderJunit(run), loosened)).toMatchObject({ errors: [], valid: true });
  expect(await validate(renderJunit(run, { cells: 'non-voting' }), loosened)).toMatchObject({
    errors: [],
    valid: true,
  });
});

test('the document is valid whatever a guest prints', async () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        ']]>',
        '<',
        '&',
        '"',
        "'",
        '\ud800',
        '\udc00',
        '\0',
        '\x1b[31m',
        '\n',
        '\uffff',
        '\ufffe',
        '\u0085',
        'a',
        ' ',
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(nasty, nasty, nasty, async (name, message, tail) => {
      const error = { type: name, message, stack: message, diff: tail, file: name, consoleTail: [tail, message] };
      const failed = { verdict: 'failed', durationMs: 1, errors: [error] } as const;
      const test = { step: 'scenarios', file: name, name, durationMs: 1e-9 } as const;
      const xml = renderJunit(
        cellWith({
          reason: message,
          verdict: 'infra',
          steps: [{ step: 'deploy', verdict: 'infra', startedAt: run.startedAt, durationMs: 1, phases: [], error }],
          tests: [
            { ...test, verdict: 'failed', attempts: [failed, failed] },
            { ...test, verdict: 'flaky', attempts: [failed, { verdict: 'passed', durationMs: 1, errors: [] }] },
            { ...test, verdict: 'skipped', attempts: [], note: message },
            { ...test, verdict: 'incomplete', attempts: [] },
          ],
        }),
      );
      const { errors } = await validate(xml, loosened);
      expect(errors.map((found) => found.message)).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test('text with `]]>` twice is complete', async () => {
  const error = { type: 'AssertionError', message: 'a ]]> b ]]> c' };
  const xml = renderJunit(
    cellWith({
      tests: [
        {
          step: 'scenarios',
          file: 'a.ts',
          name: 'x',
          verdict: 'failed',
          durationMs: 1,
          attempts: [{ verdict: 'failed', durationMs: 1, errors: [error] }],
        },
      ],
    }),
  );
  expect(xml).toContain('>AssertionError: a ]]&gt; b ]]&gt; c</failure>');
  expect((await validate(xml, loosened)).valid).toBe(true);
});

test('a cell that never got a test is an error, and one that ran none is not a green suite', () => {
  expect(renderJunit(cellWith({ verdict: 'incomplete', reason: 'never started', steps: [], tests: [] }))).toMatch(
    /<testsuite name="amd64\/vm\/smoke harness".*tests="1" failures="0" errors="1"[\s\S]*<error message="never started" type="incomplete">/,
  );
  expect(renderJunit(cellWith({ verdict: 'passed', steps: [], tests: [] }))).toContain(
    '<skipped message="no test ran">',
  );
});

test('two tests of one name have two names', () => {
  const test = {
    step: 'scenarios',
    file: 'a.ts',
    name: 'same',
    verdict: 'passed',
    durationMs: 1234.5678,
    attempts: [],
  } as const;
  const xml = renderJunit(cellWith({ tests: [test, test] }));
  expect(xml).toContain('<testcase classname="amd64.vm.smoke.a" name="same [amd64/vm/smoke]" time="1.235"');
  expect(xml).toContain('<testcase classname="amd64.vm.smoke.a" name="same (2) [amd64/vm/smoke]" time="1.235"');
});

test('without a failed assertion it is an error', () => {
  const attempt = (type: string) => [{ verdict: 'failed', durationMs: 1, errors: [{ type, message: 'm' }] }] as const;
  const test = { step: 'scenarios', file: 'a.ts', verdict: 'failed', durationMs: 1 } as const;
  const xml = renderJunit(
    cellWith({
      verdict: 'failed',
      tests: [
        { ...test, name: 'x', attempts: attempt('AssertionError') },
        { ...test, name: 'y', attempts: attempt('TypeError') },
      ],
    }),
  );
  expect(xml).toContain('<failure message="m" type="AssertionError">');
  expect(xml).toContain('<error message="m" type="TypeError">');
  expect(xml).toContain('tests="2" failures="1" errors="1"');
});

test('cases of files with the same short name, and of the same name in a file, are distinct', () => {
  const of = (file: string, name: string, verdict: 'passed' | 'failed' = 'passed') =>
    ({ step: 'scenarios', file, name, verdict, durationMs: 1, attempts: [] }) as const;
  const suite = (name: string, ...tests: ReturnType<typeof of>[]) => ({
    ...run.cells[0]!,
    name: `amd64/vm/${name}`,
    tests,
  });
  const xml = renderJunit({
    ...run,
    cells: [
      suite(
        'web',
        of('redis.scenario.ts', 'starts', 'failed'),
        of('redis.bench.ts', 'starts'),
        of('a/b.scenario.ts', 'x'),
        of('a.b.scenario.ts', 'x'),
        ...['x', 'x', 'x (2)'].map((name) => of('alone.scenario.ts', name)),
      ),
      suite('web.a', of('c.scenario.ts', 'x')),
      suite('web', of('a/c.scenario.ts', 'x')),
    ],
  });
  const cases = [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"/g)].map(
    ([, classname, name]) => `${classname} ${name!.replace(/ \[[^\]]*\]$/, '')}`,
  );
  expect(cases).toEqual([
    'amd64.vm.web.redis.scenario.ts starts',
    'amd64.vm.web.redis.bench.ts starts',
    'amd64/vm/web a/b.scenario.ts x',
    'amd64/vm/web a.b.scenario.ts x',
    'amd64.vm.web.alone x',
    'amd64.vm.web.alone x (3)',
    'amd64.vm.web.alone x (2)',
    'amd64/vm/web.a c.scenario.ts x',
    'amd64/vm/web a/c.scenario.ts x',
  ]);
});

const failedTest = {
  step: 'scenarios',
  file: 'a.scenario.ts',
  name: 'answers',
  line: 7,
  verdict: 'failed',
  durationMs: 1000,
  attempts: [
    { verdict: 'failed', durationMs: 1, errors: [{ type: 'AssertionError', message: 'expected 1, got 2', line: 9 }] },
    { verdict: 'failed', durationMs: 1, errors: [{ type: 'AssertionError', message: 'expected 1, got 3' }] },
  ],
} as const;

test('each case has its file from the root of the repository, and its line where one is known', () => {
  const folder = 'tests/suites/web';
  const xml = renderJunit(
    cellWith({
      folder,
      verdict: 'failed',
      tests: [
        failedTest,
        { ...failedTest, file: '../../shared/b.ts', name: 'shared', line: 3 },
        { ...failedTest, step: 'tests', file: 'make check', name: 'unit', place: { file: 'src/a.c', line: 12 } },
        { ...failedTest, step: 'tests', file: 'make check', name: 'make check' },
      ],
      steps: [
        {
          step: 'deploy',
          verdict: 'infra',
          startedAt: run.startedAt,
          durationMs: 1,
          phases: [],
          error: { type: 'E', message: 'm' },
        },
      ],
    }),
  );
  const cases = [
    ...xml.matchAll(/<testcase .*? name="([^"]*) \[[^\]]*\]" time="[^"]*"( file="[^"]*")?( line="[^"]*")?/g),
  ];
  expect(cases.map(([, name, file = '', line = '']) => `${name}${file}${line}`)).toEqual([
    `answers file="${folder}/a.scenario.ts" line="7"`,
    'shared file="tests/shared/b.ts" line="3"',
    'unit file="src/a.c" line="12"',
    `make check file="${folder}/suite.yaml"`,
    `deploy file="${folder}/suite.yaml"`,
  ]);
});

test('a non-voting failure is skipped with its message, and a failure in the separate file', () => {
  const quiet = cellWith({ voting: false, verdict: 'failed', tests: [failedTest], steps: [] });
  const gate = renderJunit(quiet);
  expect(gate).toMatch(/<testsuites [^>]*failures="0" errors="0"/);
  expect(gate).toContain('<skipped message="non-voting: expected 1, got 2">');
  expect(gate).not.toContain('<rerunFailure');
  const apart = renderJunit(
    { ...quiet, cells: [{ ...quiet.cells[0]!, name: 'amd64/vm/votes', voting: true }, ...quiet.cells] },
    { cells: 'non-voting' },
  );
  expect(apart).toMatch(/<testsuites [^>]*tests="1" failures="1"/);
  expect(apart).toContain('<rerunFailure message="expected 1, got 3" type="AssertionError">');
  // What is lost with a vote of its own is an error, as ever.
  expect(renderJunit(cellWith({ verdict: 'failed', tests: [failedTest], steps: [] }))).toMatch(
    /<testsuites [^>]*failures="1"/,
  );
});

test('a case has its output, and a failed one links the files of its cell', () => {
  const artifacts = ['cells/amd64-vm-smoke/console.log'];
  const xml = renderJunit(
    cellWith({
      artifacts,
      tests: [
        { ...failedTest, output: 'listening on :80' },
        { ...failedTest, name: 'passes', verdict: 'passed', attempts: [], output: 'fine' },
      ],
    }),
    { folder: 'ci/.harness/runs/one' },
  );
  const outs = [...xml.matchAll(/<system-out>\s*<!\[CDATA\[(.*?)\]\]>\s*<\/system-out>/gs)].map(([, text]) => text);
  expect(outs).toEqual([
    'listening on :80\n[[ATTACHMENT|ci/.harness/runs/one/cells/amd64-vm-smoke/console.log]]',
    'fine',
  ]);
});

test('the time of a suite is that of its first test, not of its cell', () => {
  const at = (startedAt: string, file: string) => ({ ...failedTest, startedAt, file });
  const xml = renderJunit(
    cellWith({
      startedAt: '2026-03-14T09:00:00.000Z',
      tests: [
        at('2026-03-14T09:05:09.500Z', 'a.ts'),
        at('2026-03-14T09:05:01.500Z', 'a.ts'),
        at('2026-03-14T09:07:00.000Z', 'b.ts'),
      ],
    }),
  );
  expect([...xml.matchAll(/ timestamp="([^"]*)"/g)].map(([, time]) => time)).toEqual([
    '2026-03-14T09:05:01Z',
    '2026-03-14T09:07:00Z',
  ]);
});
