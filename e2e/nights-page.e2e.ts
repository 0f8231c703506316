import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { nightLike } from '../benchmarks/many-nights.ts';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { StoredEvent } from '../harness/events/types.ts';
import { nightOf } from '../harness/nights/night.ts';
import { trendsOf } from '../harness/nights/trends.ts';
import { renderNightly } from '../reports/nightly.ts';
import { openBrowser, troubleOf, violationsOf } from './support/browser.ts';

/** A usual number of nights in a history. */
const NIGHTS = 90;

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nights-page-'));
  const { events } = await readEvents(join(import.meta.dirname, '../reports/fixtures/events.jsonl'));
  const nights = Array.from({ length: NIGHTS }, (_, night) => {
    const { text } = nightLike(events, night, { nights: NIGHTS, benchmarks: 6 });
    const lines = text.trim().split('\n');
    return nightOf(foldEvents(lines.map((line) => JSON.parse(line) as StoredEvent)));
  });
  const last = nights.at(-1)!.run;
  const links = { reports: new Set([last]) };
  await writeFile(
    join(folder, 'nights.html'),
    renderNightly({ nights, trends: trendsOf(nights), log: new Map(), links }),
  );
  await mkdir(join(folder, 'runs', last), { recursive: true });
  await writeFile(join(folder, 'runs', last, 'index.html'), '<!doctype html><title>the night itself</title>');
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function openPage(options: Parameters<Browser['newPage']>[0] = {}): Promise<{ page: Page; trouble: string[] }> {
  const page = await browser.newPage(options);
  onTestFinished(() => page.close());
  const trouble = troubleOf(page);
  await page.goto(pathToFileURL(join(folder, 'nights.html')).href);
  return { page, trouble };
}

/** A generous deadline for a page on a busy machine: its speed is not tested here. */
const PATIENT = { timeout: 60_000 };

test('values are told under the pointer and by keyboard, and Enter leads to the night', async () => {
  const { page, trouble } = await openPage();
  const chart = page.locator('svg[data-values]').first();
  const said = page.locator('.readout');
  await chart.focus();
  await expect.poll(() => said.textContent(), PATIENT).toMatch(/^2025-03-31 03:17 · [0-9a-f]{10} · [\d.]+ ms$/);
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => said.textContent(), PATIENT).toMatch(/^2025-03-30/);
  await page.keyboard.press('Home');
  await expect.poll(() => said.textContent(), PATIENT).toMatch(/^2025-01-01/);
  const box = (await chart.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect.poll(() => said.textContent(), PATIENT).toMatch(/^2025-02-1[45]/);
  await page.keyboard.press('End');
  await expect.poll(() => said.textContent(), PATIENT).toMatch(/^2025-03-31/);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.title(), PATIENT).toBe('the night itself');
  expect(trouble).toEqual([]);
});

test('only what moved is kept, fewer nights are drawn, and a table is sorted by a click', async () => {
  const { page, trouble } = await openPage();
  const rows = page.locator('#benchmarks .row:visible');
  const all = await rows.count();
  await page.getByLabel('Only what moved').check();
  await expect.poll(() => rows.count(), PATIENT).toBeLessThan(all);
  expect(await rows.count()).toBeGreaterThan(0);
  await page.getByRole('combobox').selectOption('30');
  await expect
    .poll(() => page.locator('.dates:visible').first().textContent(), PATIENT)
    .toMatch(/^2025-03-02.*2025-03-31$/);
  const failed = () =>
    page
      .locator('#tests-table tbody tr td:nth-child(2)')
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute('data-value'))));
  await page.getByRole('button', { name: 'Failed' }).click();
  const ascending = (await failed()).toSorted((a, b) => a - b);
  await expect.poll(failed, PATIENT).toEqual(ascending);
  await page.getByRole('button', { name: 'Failed' }).click();
  await expect.poll(failed, PATIENT).toEqual(ascending.toReversed());
  expect(trouble).toEqual([]);
});

test.each([390, 800, 1024, 1440])('nothing is wider than a window of %i pixels', async (width) => {
  const { page, trouble } = await openPage({ viewport: { width, height: 900 } });
  expect(await page.locator('html').evaluate((html) => html.scrollWidth)).toBe(width);
  expect(trouble).toEqual([]);
});

// Each takes axe several seconds: a phone and a desktop, each in one of the two schemes of colours.
test.each([
  [390, 'dark'],
  [1440, 'light'],
] as const)('axe finds nothing at %i pixels in %s colours', async (width, colorScheme) => {
  const { page } = await openPage({ viewport: { width, height: 900 }, colorScheme });
  expect(await violationsOf(page)).toEqual([]);
});

test('without its script everything can be read', async () => {
  const { page } = await openPage({ javaScriptEnabled: false });
  expect(await page.locator('form.tools').isHidden()).toBe(true);
  expect(await page.locator('#benchmarks .row').count()).toBeGreaterThan(10);
  expect(await page.locator('#jobs-table tbody tr').count()).toBeGreaterThan(10);
});
