import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { summaryOf } from '../harness/cli/terminal/summary.ts';
import { foldEvents } from '../harness/events/fold.ts';
import { labelOf } from '../harness/events/identity.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import { escapeHtml } from './html/markup.ts';
import { renderReport } from './index.ts';
import { inline } from './markdown.ts';
import type { Results } from './results-schema.ts';

const run = foldEvents((await readEvents(join(import.meta.dirname, 'fixtures', 'events.jsonl'))).events);

/** A cell with a test of each verdict, some of one name, and more that never ran than a page of the summary holds. */
function everything(): RunResult {
  const cell = run.cells.find(({ name }) => name === 'arm64/vm/web')!;
  const failed = cell.tests.find(({ verdict }) => verdict === 'failed')!;
  const of = (name: string, change: Partial<TestResult>): TestResult => ({ ...failed, name, ...change });
  const tests = [
    ...(['failed', 'infra', 'emulator'] as const).map((verdict) => of(`ends with ${verdict}`, { verdict })),
    of('is *flaky* & <odd>', { verdict: 'flaky' }),
    of('is left out', { verdict: 'skipped', attempts: [], note: 'not here' }),
    of('twice', { nth: 0 }),
    of('twice', { nth: 1 }),
    ...Array.from({ length: 250 }, (_, index) => {
      const { startedAt: _startedAt, ...planned } = of(`waits ${index}.`, { verdict: 'incomplete', attempts: [] });
      return planned;
    }),
  ];
  const all: CellResult = { ...cell, verdict: 'failed', tests };
  const green: CellResult = {
    ...cell,
    name: 'amd64/vm/green',
    verdict: 'flaky',
    tests: [of('later', { verdict: 'flaky' })],
  };
  return { ...run, cells: [all, green] };
}

const rendered = (name: string, of: RunResult) => String(renderReport(name, of));

const written: Readonly<Record<string, readonly [(run: RunResult) => string, (name: string) => string]>> = {
  'index.html': [(of) => rendered('html', of), escapeHtml],
  'summary.md': [(of: RunResult) => rendered('summary', of), inline],
  'junit.xml': [
    (of: RunResult) => rendered('junit', of),
    (name) => name.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
  ],
  terminal: [(of) => stripVTControlCharacters(summaryOf(of, (_style, text) => text)), (name) => name],
};

describe.each(Object.entries(written))('%s', (_, [render, spelled]) => {
  test.each([
    ['the run of the goldens', run],
    ['a run with everything', everything()],
  ])('names every test that is not green: %s', (_name, of) => {
    const text = render(of);
    const { cells } = JSON.parse(rendered('json', of)) as Results;
    const tests = cells.flatMap((cell) => cell.tests).filter(({ verdict }) => verdict !== 'passed');
    expect(tests.length).toBeGreaterThan(5);
    const missing = tests.map((one) => labelOf(one as TestResult)).filter((label) => !text.includes(spelled(label)));
    expect(missing).toEqual([]);
  });
});

test('the card of a cell lists each test that never ran exactly once', () => {
  const failures = rendered('html', everything()).match(/<section id="failures" .*?<\/section>/s)![0];
  expect(failures).toContain('250 tests never ran');
  expect(failures.match(/waits 249\./g)).toHaveLength(1);
});
