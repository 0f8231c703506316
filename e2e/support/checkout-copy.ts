import { cpSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that the tests run in, absolute. */
export const CHECKOUT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The system's PATH: neither this checkout's Node nor its programs may help. */
export const SYSTEM_PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((entry) => !entry.split(sep).includes('node_modules'))
  .join(delimiter);

/**
 * Copies the checkout as a fresh clone would be, with changes that are not committed yet: no packages, no output.
 * A copy, because what these tests do to a checkout must not happen to the one that somebody works in.
 */
export function copyCheckout(to: string): void {
  const skipped = new Set(['.git', '.harness', 'node_modules', 'dist'].map((name) => join(CHECKOUT, name)));
  cpSync(CHECKOUT, to, { recursive: true, filter: (path) => !skipped.has(path) });
}
