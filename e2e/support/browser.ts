import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { BROWSERS } from '../../harness/setup/system-packages.mjs';

/** A headless Chromium: the one that the set-up installed, or this machine's. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = BROWSERS.find((file) => existsSync(file));
  if (executablePath === undefined)
    throw new Error(
      `cannot open a browser: none of ${BROWSERS.join(', ')} is there\n  next: node harness/setup/start.mjs`,
    );
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}

/** Misbehaviour of a page: requests elsewhere, violations of its policy, dialogs, script errors. */
export function troubleOf(page: Page): string[] {
  const trouble: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) trouble.push(`asked for ${request.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) trouble.push(message.text());
  });
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('dialog', async (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return trouble;
}

/** Accessibility problems found by axe, one line per rule and place. */
export async function violationsOf(page: Page): Promise<string[]> {
  // Evaluated by the debugger, to which the page's policy does not apply.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}
