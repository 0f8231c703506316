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

test('the strict profile is valid for Jenkins, the extended one adds only file and line', async () => {
  expect(await validate(renderJunit(run))).toMatchObject({ errors: [], valid: true });
  const extended = renderJunit(run, { profile: 'extended' });
  expect((await validate(extended)).valid).toBe(false);
  const loosened = xsd.replace(
    '<xs:attribute name="classname"/>',
    '<xs:attribute name="classname"/><xs:attribute name="file"/><xs:attribute name="line" type="xs:unsignedInt"/>',
  );
  expect(await validate(extended, loosened)).toMatchObject({ errors: [], valid: true });
});

test('any text that a guest may print leaves the document valid', async () => {
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
      const { errors } = await validate(xml);
      expect(errors.map((found) => found.message)).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('text with `]]>` twice is whole', async () => {
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
  expect((await validate(xml)).valid).toBe(true);
});

test('a cell that never got a test is a case in error, and one that ran none is no green suite', () => {
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
  expect(xml).toContain('<testcase classname="amd64.vm.smoke.a" name="same" time="1.235"/>');
  expect(xml).toContain('<testcase classname="amd64.vm.smoke.a" name="same (2)" time="1.235"/>');
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

test('cases of files that have one short name, and of one name in a file, are told apart', () => {
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
    ([, classname, name]) => `${classname} ${name}`,
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
