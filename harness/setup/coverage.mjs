// Prints the line coverage of the unit tests by folder, from vitest's `coverage-summary.json`, and adds it to the
// summary of a GitHub job. Shown, not gated: coverage shows what is not tested, not how well the rest is.
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Lines by folder: `harness/NAME` and `reports`, the whole last.
 * @param {Record<string, { lines: { total: number, covered: number } }>} summary by absolute path, and `total`
 * @param {string} root of the checkout
 * @returns {{ folder: string, total: number, covered: number }[]}
 */
export function byFolder(summary, root) {
  /** @type {Map<string, { folder: string, total: number, covered: number }>} */
  const folders = new Map();
  for (const [path, { lines }] of Object.entries(summary)) {
    const parts = relative(root, path).split(sep);
    const folder = path === 'total' ? 'all' : parts.slice(0, parts[0] === 'harness' ? 2 : 1).join('/');
    const row = folders.get(folder) ?? { folder, total: 0, covered: 0 };
    folders.set(folder, { folder, total: row.total + lines.total, covered: row.covered + lines.covered });
  }
  const rows = [...folders.values()];
  const named = rows.filter(({ folder }) => folder !== 'all').sort((a, b) => (a.folder < b.folder ? -1 : 1));
  return [...named, ...rows.filter(({ folder }) => folder === 'all')];
}

/** @param {ReturnType<typeof byFolder>} rows */
export function table(rows) {
  const cells = rows.map(({ folder, total, covered }) => {
    const share = total === 0 ? '–' : `${Math.round((100 * covered) / total)} %`;
    return `| ${folder.padEnd(18)} | ${share.padStart(5)} | ${String(covered).padStart(6)} | ${String(total).padStart(6)} |`;
  });
  const head = '| folder             | share | run    | lines  |\n| ------------------ | ----: | -----: | -----: |';
  return `${head}\n${cells.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const summary = JSON.parse(readFileSync(join(root, '.harness/coverage/coverage-summary.json'), 'utf8'));
  const text = table(byFolder(summary, root));
  process.stdout.write(text);
  const job = process.env['GITHUB_STEP_SUMMARY'];
  if (job) appendFileSync(job, `### Lines that the unit tests run\n\n${text}`);
}
