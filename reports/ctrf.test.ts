import { type CTRFReport, calculateSummary, isValid, validate } from 'ctrf';
import { expect, test } from 'vitest';
import { renderCtrf } from './ctrf.ts';
import { fixtureRun, hostileRun } from './fixtures/run.ts';

const run = await fixtureRun();
const read = (of = run) => JSON.parse(renderCtrf(of, { folder: 'runs/one' })) as CTRFReport;

test.each([
  ['the run of the goldens', run],
  ['what a guest may print', hostileRun(run)],
  ['a run without cells', { ...run, cells: [] }],
])('is what its schema says: %s', (_, of) => {
  expect(validate(read(of))).toMatchObject({ valid: true, errors: [] });
});

test('the validator finds mistakes', () => {
  const { results, ...rest } = read();
  expect(isValid({ ...rest, results: { ...results, summary: {} } })).toBe(false);
});

test('its summary equals the one of the library of the format', () => {
  const { tests, summary } = read().results;
  const { start: _start, stop: _stop, duration: _duration, suites: _suites, ...counts } = calculateSummary(tests);
  expect(summary).toMatchObject(counts);
  expect(summary.tests).toBeGreaterThan(run.counts.planned);
});

test('a failure has its place, attempts and cell; a non-voting one fails nothing', () => {
  const { tests } = read().results;
  const name = 'counter > is right after 8 clients increment it 100 times each [arm64/vm/web]';
  expect(tests.find((one) => one.name === name)).toMatchObject({
    status: 'failed',
    message: 'expected 797 to be 800 // Object.is equality',
    filePath: 'tests/suites/web/counter.scenario.ts',
    labels: { arch: 'arm64', voting: true },
    retries: 1,
    attachments: [{ name: 'console.log', path: 'runs/one/console.log' }, {}],
    extra: { control: 'passes-on-control' },
  });
  const quiet = { ...run, cells: run.cells.map((cell) => ({ ...cell, voting: false })) };
  const { failed, other } = read().results.summary;
  expect(failed).toBeGreaterThan(0);
  expect(read(quiet).results.summary).toMatchObject({ failed: 0, other: failed + other });
});
