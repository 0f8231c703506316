import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../harness/testing/temp-files.ts';
import { largeRun } from './fixtures/large-run.ts';
import { pathsOf, usualReports, writeReports } from './index.ts';
import { MOST_CELLS, partsOf } from './large.ts';
import { toResults } from './results-json.ts';

test('parts have all cells once, no more than they may, and cells of one suite together', () => {
  const run = largeRun({ suites: 25, tests: 2 });
  const parts = partsOf(run, 20);
  expect(parts.map(({ number, run: part }) => [number, part.cells.length])).toEqual([
    [1, 18],
    [2, 18],
    [3, 18],
    [4, 18],
    [5, 3],
  ]);
  expect(parts.flatMap(({ run: part }) => part.cells)).toEqual(run.cells);
  expect(parts.reduce((sum, { run: part }) => sum + part.counts.planned, 0)).toBe(run.counts.planned);
  expect(parts.reduce((sum, { run: part }) => sum + part.counts.failed, 0)).toBe(run.counts.failed);
  expect(partsOf(run, 75)).toEqual([{ run, number: 1 }]);
});

test('a run of more cells than a page has is an index, a page and a file of JUnit for each part, and data as ever', async () => {
  await using files = await tempFiles();
  // Five cells more than two parts have.
  const run = largeRun({ suites: Math.ceil((2 * MOST_CELLS) / 3) + 1, tests: 1 });
  const folder = join(files.folder, 'run');
  await mkdir(folder);
  expect(pathsOf(usualReports, run)).toBe('index.html, junit-part-*.xml, summary.md, results.json');
  await writeReports(run, folder);
  expect((await readdir(folder)).sort()).toEqual([
    ...['index-part-1.html', 'index-part-2.html', 'index-part-3.html', 'index.html'],
    ...['junit-part-1.xml', 'junit-part-2.xml', 'junit-part-3.xml', 'results.json', 'summary.md'],
  ]);
  const text = (name: string) => readFile(join(folder, name), 'utf8');
  const index = await text('index.html');
  // The suites with failures, and nothing of those that passed but the page that has them.
  expect(index).toContain('<a href="index-part-1.html">suite-001</a>');
  expect(index).not.toContain('>suite-010<');
  expect(index).toMatch(/<a href="index-part-3.html">suite-\d+ … suite-\d+<\/a>/);
  expect(index.length).toBeLessThan(200_000);
  const page = await text('index-part-2.html');
  expect(page).toContain('<a href="index.html">All pages</a>, this is 2 of 3');
  expect(page).toContain('junit-part-2.xml</a>');
  const cases = await Promise.all(
    [1, 2, 3].map(async (part) => (await text(`junit-part-${part}.xml`)).split('<testcase ')),
  );
  expect(cases.reduce((sum, of) => sum + of.length - 1, 0)).toBe(run.counts.planned);
  expect(JSON.parse(await text('results.json'))).toEqual(JSON.parse(JSON.stringify(toResults(run))));
});
