import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import { annotationsOf, writeAnnotations, writeJobSummary } from './github.ts';
import { block, code, inline } from './markdown.ts';
import { renderSummary } from './summary.ts';
import { visible } from './text.ts';
import { formatThroughput, formatTime } from './words.ts';

const run = foldEvents((await readEvents(join(import.meta.dirname, 'fixtures', 'events.jsonl'))).events);
const failing = run.cells.find(({ name }) => name === 'arm64/vm/web')!;
const failingTest = failing.tests.find(({ verdict }) => verdict === 'failed')!;
const repeated = (count: number): RunResult => ({
  ...run,
  cells: Array.from({ length: count }, (): CellResult => ({ ...failing, benchmarks: [] })),
});

test('the summary stays below its limit and says what it left out', () => {
  const text = renderSummary(repeated(2000), { maxBytes: 200_000 });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(200_000);
  expect(text).toMatch(/_\d+ more sections are left out for GitHub's limit: see index.html or junit.xml._\n$/);
  expect(text).toContain('## ❌ Failed · nightly');
});

test('a test with an endless message or console does not push out the others', () => {
  const attempts = [
    {
      verdict: 'failed',
      durationMs: 1,
      errors: [
        { type: 'E', message: 'm'.repeat(2e6), diff: 'd'.repeat(2e6), consoleTail: Array(5000).fill('c'.repeat(2000)) },
      ],
    },
  ] as const;
  const huge: CellResult = { ...failing, tests: [{ ...failingTest, attempts }] };
  const text = renderSummary({ ...run, cells: [huge, failing] });
  expect(Buffer.byteLength(text)).toBeLessThan(60_000);
  expect(text).not.toContain('left out');
});

test('a run without cells is still a summary', () => {
  expect(renderSummary({ ...run, cells: [] })).toContain('No cell was planned.');
});

const hostile = fc.string({
  unit: fc.constantFrom(
    '`',
    '~',
    '<',
    '>',
    '&',
    ':',
    '#',
    '[',
    ']',
    '|',
    '\n',
    '\r',
    '@',
    ' ',
    'a',
    '*',
    '_',
    '!',
    '\\',
    '\u2028',
  ),
});

test('no text breaks out of its place', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const fenced = block(text).split('\n');
      const fence = fenced[0]!;
      expect(fenced.slice(1, -1).some((line) => line.includes(fence))).toBe(false);
      expect(block(text)).not.toMatch(/^\s*(::|##\[)/m);
      const [line, quoted] = [inline(text), code(text)];
      expect(line).not.toMatch(/[\n\r<>]|::|(?<!\\)[`*_[|]/);
      expect(quoted).not.toMatch(/[\n\r]|::|(?<!\\)\|/);
    }),
    { numRuns: 500, examples: [[':::'], [' ::::']] },
  );
});

test('invisible characters are spelled out', () => {
  expect(visible('\x1b[31mred\x1b[0m\x07\0\u202e\ud800\r\nnext\ttab 🦀')).toBe(
    'red\\x07\\x00\\u202e\\ud800\nnext\ttab 🦀',
  );
});

test('figures have three digits and the right unit', () => {
  expect([0, 0.0000123, 0.0123, 1.234, 999.4, 999.6, 61_400, 185_000].map(formatTime)).toEqual([
    '0 ms',
    '12.3 ns',
    '12.3 µs',
    '1.23 ms',
    '999 ms',
    '1.00 s',
    '61.4 s',
    '3 min 5 s',
  ]);
  expect(formatThroughput(12345, 'request')).toBe('12,350 requests/s');
  expect(formatThroughput(34.5, 'MiB')).toBe('34.5 MiB/s');
});

test('at most ten annotations, which guest output cannot turn into commands', () => {
  expect(annotationsOf(run).map(({ title }) => title)).toEqual([
    'amd64/vm/web › counter > survives a power cycle',
    'arm64/vm/web › counter > is right after 8 clients increment it 100 times each',
    'arm64/vm/web › counter > survives a power cycle',
    'ppc64le/vm/web › step deploy',
    'arm64/vm/smoke › flaky: the clock is within a minute of the host’s',
  ]);
  const many = annotationsOf(repeated(20));
  expect(many).toHaveLength(10);
  expect(many.at(-1)?.message).toBe('31 more failures: see the job summary.');
  const attempts = [
    { verdict: 'failed', durationMs: 1, errors: [{ type: 'E', message: 'x\n::set-env name=A::b:::c' }] },
  ] as const;
  const [annotation] = annotationsOf({ ...run, cells: [{ ...failing, tests: [{ ...failingTest, attempts }] }] });
  expect(annotation?.message).not.toContain('::');
});

test('outside of GitHub nothing is written', async () => {
  expect(await writeJobSummary('x', {})).toBe(false);
  expect(writeAnnotations(run, {})).toBe(0);
});

test('failures stand before the tables, and the page can be opened from the first lines', () => {
  const text = renderSummary(run, { pageUrl: 'https://github.com/o/r/actions/runs/1/artifacts/2' });
  const places = [
    '[Open the page](https://github.com/o/r/actions/runs/1/artifacts/2)',
    '### What went wrong',
    '### Cells',
    '### Timing',
  ];
  const found = places.map((words) => text.indexOf(words));
  expect(found).toEqual(found.toSorted((a, b) => a - b));
  expect(found[0]).toBeGreaterThan(0);
  expect(renderSummary(run, { pageUrl: 'javascript:alert(1)' })).not.toContain('Open the page');
});
