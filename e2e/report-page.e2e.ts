import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { foldFile } from '../harness/events/load-run.ts';
import type { RunResult } from '../harness/events/result.ts';
import { largeRun } from '../reports/fixtures/large-run.ts';
import { renderHtml } from '../reports/html.ts';
import { openBrowser, troubleOf, violationsOf } from './support/browser.ts';
import { CHECKOUT } from './support/checkout-copy.ts';

const folder = mkdtempSync(join(tmpdir(), 'harness-page-'));
const overprint = readFileSync(join(import.meta.dirname, 'support/overprint.browser.js'), 'utf8');
let browser: Browser;
let red: RunResult;

beforeAll(async () => {
  red = await foldFile(join(CHECKOUT, 'reports/fixtures/events.jsonl'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the page of a run; any misbehaviour of the page fails the test. */
async function open(run: RunResult, options: BrowserContextOptions & { readonly at?: string } = {}): Promise<Page> {
  const { at = '', ...context } = options;
  const file = join(folder, `${run.run}.html`);
  writeFileSync(file, renderHtml(run));
  const opened = await browser.newContext({ viewport: { width: 1024, height: 900 }, ...context });
  const page = await opened.newPage();
  const trouble = troubleOf(page);
  onTestFinished(async () => {
    await opened.close();
    expect(trouble).toEqual([]);
  });
  await page.goto(`${pathToFileURL(file)}${at}`);
  return page;
}

/** A generous deadline for a page on a busy machine: its speed is not tested here. */
const PATIENT = { timeout: 60_000 };

/** The run with instruction counts in place of times, which are the widest figures. */
function counted(run: RunResult): RunResult {
  const cells = run.cells.map((cell) => ({
    ...cell,
    benchmarks: cell.benchmarks.map((one) => ({ ...one, clock: 'instructions' as const })),
  }));
  return { ...run, run: 'counted', cells };
}

const namesIn = (page: Page) => page.locator('.tests tbody th[scope="row"] > a:visible').allTextContents();
const choose = (page: Page, name: string, value: string) =>
  page.locator(`#filters [name="${name}"]`).selectOption(value);
const status = (page: Page) => page.locator('#filters output');

test('from the first screen to what differs, why, and the console that shows it, in one click', async () => {
  const page = await open(red);
  const item = page.locator('.brief li', { hasText: 'on arm64, and not on amd64' });
  const { height, y } = (await item.boundingBox())!;
  expect(y + height).toBeLessThan(900);
  await item.getByRole('link').click();
  const card = page.locator('article:target');
  for (const text of [
    'counter > is right after 8 clients increment it 100 times each',
    'It passes on amd64/vm/web: the cause is arm64, or what emulates it.',
    'expected 797 to be 800',
    'counter[512]: lost update: WATCH',
  ])
    await card.getByText(text).first().waitFor({ state: 'visible' });
  await expect.poll(() => card.evaluate((element) => element.getBoundingClientRect().top), PATIENT).toBeLessThan(900);
});

test('a failed result of the table leads to its failure, and back', async () => {
  const page = await open(red);
  await page.locator('tr', { hasText: 'counter > survives a power cycle' }).locator('td.failed a').nth(1).click();
  const target = page.locator(':target');
  expect(await target.textContent()).toContain('arm64/vm/web');
  await target.getByRole('link', { name: 'counter > survives a power cycle', exact: true }).click();
  expect(await page.locator('tr:target').textContent()).toContain('counter > survives a power cycle');
});

describe.each([
  ['with its script', true],
  ['without it', false],
])('%s', (_name, javaScriptEnabled) => {
  test('a link to a folded part unfolds it', async () => {
    const page = await open(red, { javaScriptEnabled });
    const facts = page.locator('#facts details', { hasText: 'arm64/vm/web' });
    expect(await facts.locator('dl').isVisible()).toBe(false);
    await page.locator('.matrix a[href="#cell-arm64/vm/web"]').click();
    await facts.locator('dl').waitFor({ state: 'visible' });
  });

  test('an address with a part of the page opens there', async () => {
    const page = await open(red, { javaScriptEnabled, at: '#cell-ppc64le/vm/swarm' });
    await page.locator('[id="cell-ppc64le/vm/swarm"]').waitFor({ state: 'visible' });
  });

  test('every test and what it came to is there', async () => {
    const page = await open(red, { javaScriptEnabled });
    expect(await page.locator('.tests tr[id]:visible').count()).toBe(33);
    expect(await page.locator('#filters').isVisible()).toBe(javaScriptEnabled);
  });
});

test('filters by text, verdict, architecture and suite, together, and says how many are left', async () => {
  const page = await open(red);
  const all = await namesIn(page);
  await page.getByRole('searchbox').fill('counter cycle');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('2 of 33 tests');
  expect(await namesIn(page)).toEqual(['counter > survives a power cycle', 'counter > survives a power cycle']);
  await choose(page, 'verdict', 'failed');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('1 of 33 tests');
  await page.getByRole('searchbox').fill('');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('2 of 33 tests');
  await choose(page, 'arch', '0');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('1 of 33 tests');
  await choose(page, 'verdict', 'differs');
  await expect
    .poll(() => namesIn(page), PATIENT)
    .toEqual(['counter > is right after 8 clients increment it 100 times each']);
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(() => namesIn(page), PATIENT).toEqual(all);
  await choose(page, 'suite', 'smoke');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('4 of 33 tests');
});

test('sorts by time and by difference in one list, and puts everything back', async () => {
  const page = await open(red);
  const all = await namesIn(page);
  await choose(page, 'sort', 'time');
  await expect.poll(async () => (await namesIn(page))[0], PATIENT).toBe('gzip of 4 MiB');
  expect(await namesIn(page)).toHaveLength(all.length);
  expect(await page.locator('.tests tbody tr:visible').first().textContent()).toContain('web on vm');
  await choose(page, 'arch', '2');
  await expect.poll(async () => (await namesIn(page))[0], PATIENT).toBe('a node leaves');
  await choose(page, 'arch', '');
  await choose(page, 'sort', 'difference');
  await expect.poll(async () => (await namesIn(page))[0], PATIENT).toContain('is right after 8 clients');
  expect(await page.locator('.tests tbody tr:visible').nth(1).locator('td.d').textContent()).toContain('×');
  await choose(page, 'sort', '');
  await expect.poll(() => namesIn(page), PATIENT).toEqual(all);
});

test('timings are sorted by ratio', async () => {
  const page = await open(red);
  const table = page.locator('.benchmarks').first();
  const names = () => table.locator('.title th').allTextContents();
  const before = await names();
  await table.locator('select').selectOption('ratio');
  expect((await names())[0]).toContain('requests over the forwarded port');
  await table.locator('select').selectOption('');
  expect(await names()).toEqual(before);
});

test('a click on a link to a part of the page copies its address', async () => {
  const page = await open(red, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.locator('.failure .permalink').first().click();
  await page.getByText('The link was copied.').waitFor();
  const copied = await page.evaluate('navigator.clipboard.readText()');
  expect(copied).toBe(page.url());
  expect(copied).toMatch(/\.html#f-/);
});

test('by keyboard: to a failure, into its console, and through the filters', async () => {
  const page = await open(red);
  const focused = page.locator('.brief a:focus');
  // The links of the first paragraph come first.
  for (let tabs = 0; tabs < 4 && (await focused.count()) === 0; tabs++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('article:target').waitFor();
  const pre = page.locator('article:target pre.console');
  await pre.focus();
  expect(await page.evaluate('document.activeElement.className')).toBe('console');
  const summary = page.locator('article:target summary', { hasText: 'Stack' });
  await summary.focus();
  await page.keyboard.press('Enter');
  await page.locator('article:target pre[aria-label="Stack"]').waitFor({ state: 'visible' });
  await page.getByRole('searchbox').focus();
  await page.keyboard.type('swarm nothing');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('0 of 33 tests');
});

test.each([
  ['light', 1024],
  ['dark', 1024],
  ['light', 390],
] as const)('axe finds nothing wrong: %s, %i px', async (colorScheme, width) => {
  const page = await open(red, { colorScheme, viewport: { width, height: 900 } });
  expect(await violationsOf(page)).toEqual([]);
});

test('axe finds nothing wrong with a green run, or one of which nothing is left', async () => {
  const green = { ...red, run: 'green', state: 'passed' as const, exitCode: 0, cells: red.cells.slice(0, 1) };
  expect(await violationsOf(await open(green))).toEqual([]);
  const nothing = { ...red, run: 'nothing', state: 'incomplete' as const, exitCode: 4, cells: [] };
  expect(await violationsOf(await open(nothing))).toEqual([]);
});

test.each([390, 560, 721, 800, 1024, 1280, 1600])(
  'nothing is wider than its place, or over something else: %i px',
  async (width) => {
    const page = await open(red, { viewport: { width, height: 900 } });
    expect(await page.evaluate(overprint)).toEqual([]);
    const counting = await open(counted(red), { viewport: { width, height: 900 } });
    expect(await counting.evaluate(overprint)).toEqual([]);
  },
);

test('300 cells of 200 tests are less than 6 MB, are shown at once, and are searched', async () => {
  const page = await open(largeRun({ suites: 100, tests: 200 }));
  expect((await stat(join(folder, '20261120-214512-aaaa.html'))).size).toBeLessThan(6_000_000);
  expect(await page.locator('.brief li').first().textContent()).toContain('connect ECONNREFUSED');
  expect(await page.locator('#failures article').count()).toBe(2);
  expect(await page.locator('tr[id]').count()).toBe(20_000);
  // Most stacks are collapsed: hidden elements are not drawn.
  expect(await page.locator('.stack[open]').count()).toBeLessThan(5);
  await page.getByRole('searchbox').fill('case 137');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('100 of 20000 tests');
  await choose(page, 'verdict', 'differs');
  await page.getByRole('searchbox').fill('');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('40 of 20000 tests');
  await choose(page, 'verdict', '');
  await choose(page, 'sort', 'time');
  await expect.poll(() => status(page).textContent(), PATIENT).toBe('the first 500 of 20000 tests');
});
