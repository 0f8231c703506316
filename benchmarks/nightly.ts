import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { CHECKOUT } from '../e2e/support/checkout-copy.ts';
import { readEvents } from '../harness/events/reader.ts';
import { readHistory } from '../harness/nights/history-index.ts';
import { trendsOf } from '../harness/nights/trends.ts';
import { renderNightly } from '../reports/nightly.ts';
import { nightLike } from './many-nights.ts';

/**
 * `npm run bench:nightly [-- EVENTS [FOLDER]]`: a history of 400 nights × 60 benchmarks × 3 architectures, made from
 * the events of one run (default: the newest here). Measures reading it without and with the index, looking for
 * changes, writing the page, the size of the page, and how long headless Chromium takes to show it. Prints Markdown.
 */
const NIGHTS = 400;
const BENCHMARKS = 60;

const source = process.argv[2] ?? join(CHECKOUT, '.harness/runs/latest/events.jsonl');
const folder = process.argv[3] ?? (await mkdtemp(join(tmpdir(), 'harness-nights-')));
const rows: [string, string][] = [];

async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  // CPU time as well, because elapsed time depends on what else the machine does.
  rows.push([what, `${seconds(performance.now() - started)} (processor ${seconds((user + system) / 1000)})`]);
  return result;
}

/**
 * Milliseconds from the start of the navigation to the first complete frame: Chromium writes a screenshot when the
 * whole window has been drawn. The time of an empty page, which is Chromium's own start, is subtracted.
 */
async function opened(page: string, size: string): Promise<number> {
  const shot = async (address: string) => {
    const started = performance.now();
    const profile = await mkdtemp(join(tmpdir(), 'harness-chromium-'));
    try {
      await execa(
        'chromium',
        [
          '--headless=new',
          '--no-sandbox',
          '--disable-gpu',
          '--hide-scrollbars',
          `--user-data-dir=${profile}`,
          `--window-size=${size}`,
          `--screenshot=${join(profile, 'page.png')}`,
          address,
        ],
        { timeout: 120_000 },
      );
      return performance.now() - started;
    } finally {
      await rm(profile, { recursive: true, force: true });
    }
  };
  const differences: number[] = [];
  for (let round = 0; round < 5; round++)
    differences.push((await shot(pathToFileURL(page).href)) - (await shot('about:blank')));
  return differences.sort((a, b) => a - b)[2]!;
}

try {
  const { events } = await readEvents(source);
  const history = join(folder, 'history');
  await mkdir(history, { recursive: true });
  for (let night = 0; night < NIGHTS; night++) {
    const { name, text } = nightLike(events, night, { nights: NIGHTS, benchmarks: BENCHMARKS });
    await writeFile(join(history, `${name}.events.jsonl`), text);
  }
  const index = join(folder, 'index.sqlite');
  await timed('reading the history, no index yet', () => readHistory(history, index));
  const held = await timed('reading the history, index there', () => readHistory(history, index));
  await writeFile(
    join(history, 'x.events.jsonl'),
    nightLike(events, NIGHTS, { nights: NIGHTS, benchmarks: BENCHMARKS }).text,
  );
  await timed('the same with one night more', () => readHistory(history, index));
  const nights = held.map(({ night }) => night);
  const trends = await timed(
    `looking for changes in ${new Set(nights.at(-1)!.cells.flatMap(({ name, figures }) => figures.map((figure) => `${name} ${figure.name}`))).size} series`,
    () => trendsOf(nights),
  );
  const page = join(folder, 'nightly.html');
  await timed('writing the page', async () => writeFile(page, renderNightly({ nights, trends, log: new Map() })));
  rows.push(['size of the page', `${((await stat(page)).size / 1e6).toFixed(2)} MB`]);
  rows.push(['size of the index', `${((await stat(index)).size / 1e6).toFixed(1)} MB`]);
  for (const [what, size] of [
    ['desktop', '1280,1000'],
    ['phone', '390,844'],
  ] as const)
    rows.push([`Chromium has it on the screen (${what})`, `${((await opened(page, size)) / 1000).toFixed(2)} s`]);
  const text = await readFile(page, 'utf8');
  process.stdout.write(`| ${NIGHTS} nights × ${BENCHMARKS} benchmarks × 3 architectures | |\n|---|---:|\n`);
  for (const [what, figure] of rows) process.stdout.write(`| ${what} | ${figure} |\n`);
  process.stdout.write(
    `\n${trends.groups.length} changes, ${(text.match(/<svg class="trend"/g) ?? []).length} series drawn\n`,
  );
} finally {
  if (process.argv[3] === undefined) await rm(folder, { recursive: true, force: true });
}
