import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import { optionalReports, reports, reportsNamed, usualReports, writeReports } from './index.ts';
import { renderResultsJson, schemaFiles } from './results-json.ts';
import { resultsSchema } from './results-schema.ts';

const root = join(import.meta.dirname, '..');
const run = foldEvents((await readEvents(join(import.meta.dirname, 'fixtures', 'events.jsonl'))).events);

test('every report is written completely, and nothing else', async ({ onTestFinished }) => {
  const parent = await mkdtemp(join(tmpdir(), 'reports-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const folder = join(parent, 'run');
  const written = await writeReports(run, folder);
  expect(written).toEqual(['index.html', 'junit.xml', 'summary.md', 'results.json'].map((name) => join(folder, name)));
  expect((await readdir(folder)).toSorted()).toEqual(['index.html', 'junit.xml', 'results.json', 'summary.md']);
});

test('one renderer that fails does not keep the others from being written', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'reports-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const broken = {
    name: 'broken',
    path: 'broken.xml',
    about: 'nothing',
    files: () => {
      throw new Error('no such glyph');
    },
  };
  const writing = writeReports(run, folder, [broken, ...usualReports]);
  await expect(writing).rejects.toThrow(AggregateError);
  await expect(writing).rejects.toThrow(`cannot write ${join(folder, 'broken.xml')}: no such glyph`);
  expect(await readdir(folder)).toHaveLength(4);
});

test('requested reports are written beside the usual ones, and unknown names are an error', async ({
  onTestFinished,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'reports-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const written = await writeReports(run, folder, reportsNamed(optionalReports));
  expect((await readdir(folder)).toSorted()).toEqual(reports.map(({ path }) => path).toSorted());
  expect(written).toEqual(reports.map(({ path }) => join(folder, path)));
  expect(() => reportsNamed(['xunit'])).toThrow(
    'unknown report "xunit", expected one of junit-strict, junit-non-voting',
  );
});

test('no two reports have one name, or write one file', () => {
  for (const key of ['name', 'path'] as const)
    expect(new Set(reports.map((report) => report[key])).size).toBe(reports.length);
});

test('the page about reports lists them all, and nothing else', async () => {
  const page = await readFile(join(root, 'docs/reports.md'), 'utf8');
  const rows = reports.map(
    ({ name, path, about, always }) => `| ${always ? 'always' : `\`${name}\``} | \`${path}\` | ${about} |`,
  );
  // The formatter sets columns; the first row is the table's head.
  const written = page.match(/^\| (always|`).*$/gm) ?? [];
  expect(written.slice(1).map((row) => row.replaceAll(/ +/g, ' '))).toEqual(rows);
});

test('the committed schema is up to date', async () => {
  for (const [file, content] of Object.entries(schemaFiles()))
    expect(await readFile(join(root, file), 'utf8')).toBe(content);
});

test('results.json matches its published schema, without other fields', async () => {
  const results: unknown = JSON.parse(renderResultsJson(run));
  const published = JSON.parse(await readFile(join(root, 'reports/schemas/results.schema.json'), 'utf8'));
  expect(z.fromJSONSchema(published).safeParse(results).error).toBeUndefined();
  expect(z.fromJSONSchema(published).safeParse({ ...(results as object), schemaVersion: 1 }).success).toBe(false);
  // A schema that did not know a field would drop it here.
  expect(resultsSchema.parse(results)).toEqual(results);
});
