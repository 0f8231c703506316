import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { seededRandom } from '../harness/bench/random.ts';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import { type Night, nightOf } from '../harness/nights/night.ts';
import { trendsOf } from '../harness/nights/trends.ts';
import { withoutFiles } from './fixtures/without-files.ts';
import { renderNightly } from './nightly.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const base = nightOf(foldEvents((await readEvents(join(fixtures, 'events.jsonl'))).events));

/** It fails in every night but the last. */
const failing = base.cells.find(({ verdict }) => verdict === 'failed')!.name;

/** Nights like the fixture's run: one benchmark slower from the 21st on, one without a figure, a cell that recovers. */
function nightsOf(count: number): Night[] {
  const random = seededRandom('page');
  const noise = () => 1 + 0.02 * (random() - 0.5);
  return Array.from({ length: count }, (_, night) => ({
    ...base,
    run: `run-${night}`,
    startedAt: new Date(Date.UTC(2026, 0, 1 + night, 3, 17)).toISOString(),
    git: { sha: createHash('sha1').update(`${night}`).digest('hex'), dirty: false },
    cells: base.cells.map(({ reason, ...cell }) => ({
      ...cell,
      ...(reason === undefined || (cell.name === failing && night === count - 1) ? {} : { reason }),
      verdict:
        cell.name === failing && night === count - 1
          ? 'passed'
          : cell.name === 'amd64/vm/smoke' && night % 9 === 4
            ? 'flaky'
            : cell.verdict,
      steps: cell.steps.map(({ step, durationMs }) => ({ step, durationMs: Math.round(durationMs * noise()) })),
      figures: cell.figures.map((figure, at) => {
        if (figure.median === undefined) return figure;
        const factor = noise() * (at === 0 && cell.name === 'amd64/vm/web' && night >= 20 ? 1.3 : 1);
        if (at === 1 && night === 17) {
          const { median: _median, interval: _interval, ...rest } = figure;
          return { ...rest, problem: 'a sample is no number' };
        }
        return {
          ...figure,
          median: figure.median * factor,
          ...(figure.interval ? { interval: [figure.interval[0] * factor, figure.interval[1] * factor] as const } : {}),
        };
      }),
    })),
  }));
}

const pageOf = (nights: readonly Night[], log: ReadonlyMap<string, readonly string[]> = new Map()): string =>
  renderNightly({ nights, trends: trendsOf(nights), log });
const nights = nightsOf(34);
const range = `${nights[19]!.git!.sha.slice(0, 10)}..${nights[20]!.git!.sha.slice(0, 10)}`;
const page = pageOf(nights, new Map([[range, ['1a2b3c4 Every answer has a checksum', '5d6e7f8 Notes']]]));

test('the page is what it was', async () => {
  const file = join(fixtures, 'nightly.golden.html');
  if (process.env['UPDATE_GOLDENS'] === '1') await writeFile(file, withoutFiles(page));
  expect(withoutFiles(page)).toBe(await readFile(file, 'utf8'));
});

test('the change is there with its commits, and there is no other', () => {
  expect(page.match(/class="change-card/g)).toHaveLength(1);
  expect(page).toContain(`<code>git log ${range}</code>`);
  expect(page).toContain('<li>1a2b3c4 Every answer has a checksum</li>');
  expect(page).toMatch(/<a href="#change-1"><path class="change up"/);
});

test('what is new comes first: a cell that recovered, and a benchmark that is sure since last night', () => {
  const before = page.indexOf('id="news"');
  expect(before).toBeGreaterThan(0);
  expect(page.indexOf('id="cells"')).toBeGreaterThan(before);
  const news = page.slice(before, page.indexOf('</section>', before));
  expect(news).toMatch(new RegExp(`${failing}: .*failed.* → .*passed`));
  const first = Array.from({ length: 13 }, (_, more) => 22 + more).find((count) =>
    /sure since last night/.test(pageOf(nightsOf(count))),
  );
  expect(first).toBeGreaterThan(22);
  expect(pageOf(nightsOf(first! + 1))).not.toContain('sure since last night');
});

test('what was red the night before too is said, with since when and why', () => {
  const red = nights.slice(0, 33);
  const section = (page: string) => page.slice(page.indexOf('id="news"'), page.indexOf('id="cells"'));
  const news = section(pageOf(red));
  expect(news).not.toContain('Nothing: every cell');
  expect(news).toMatch(new RegExp(`${failing}: still .*failed.* since 2026-01-01, 33 nights <small>[^<]+</small>`));
  const green = red.map((night) => ({ ...night, cells: night.cells.filter(({ verdict }) => verdict === 'passed') }));
  expect(section(pageOf(green.slice(0, 12)))).toContain('Nothing: every cell ended as it did the night before');
});

test('benchmarks on another machine are not silently compared with nothing', () => {
  const green = nights.slice(0, 12).map((night) => ({
    ...night,
    cells: night.cells.filter(({ verdict }) => verdict === 'passed'),
  }));
  const moved = green.map((night, at) => ({
    ...night,
    cells: night.cells.map((cell) => ({
      ...cell,
      figures: cell.figures.map((figure) => (at === 11 ? { ...figure, machine: 'another processor' } : figure)),
    })),
  }));
  const news = pageOf(moved).split('id="cells"')[0];
  expect(news).not.toContain('Nothing: every cell');
  expect(news).toMatch(/not compared with before <small>[^<]* → [^<]*another processor/);
});

test('the page needs no network and no script, and its policy says so', () => {
  const [, style] = page.match(/<style>([\s\S]*?)<\/style>/)!;
  const hash = createHash('sha256').update(style!).digest('base64');
  expect(page).toContain(
    `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
  );
  expect(page).not.toMatch(/<[^>]*\s(src|style|on\w+)=|url\(|@import|<link|<script|href="(?!#)/);
});

test('every link inside the page leads somewhere, and tags are closed in order', async () => {
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${target}"`);
  const body = page.match(/<main>[\s\S]*<\/main>/)![0].replaceAll('&#39;', '’');
  const symbols = [...page.matchAll(/<symbol id="(v-\w+)"/g)].map(([, id]) => id);
  expect(symbols.length).toBeGreaterThan(5);
  expect((await validateXML({ xml: body, normalization: 'format' })).errors).toEqual([]);
});

test('no path has a number that is none', () => {
  for (const [, path] of page.matchAll(/<path class="[^"]*" d="([^"]*)"/g))
    expect(path).toMatch(/^M[MLHVhvz0-9 .-]*$/i);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

test('no text of a guest or a commit becomes markup, wherever it stands', () => {
  const nasty = fc.string({
    minLength: 1,
    unit: fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '/',
      '!--',
      'script',
      ']]>',
      '\u2028',
      'x',
      ' ',
      '=',
      '`',
      '${',
      '\ud800',
    ),
  });
  const skeleton = (text: string): string[] => {
    const three = nights.slice(0, 24).map((night) => ({
      ...night,
      run: text,
      matrix: text,
      cells: night.cells.map((cell, at) => ({
        ...cell,
        name: `${cell.name}${text}`,
        suite: text,
        reason: text,
        tests: at === 0 && night === nights[23] ? [{ file: text, name: text, verdict: 'failed' as const }] : [],
        figures: cell.figures.map((figure, index) => ({
          ...figure,
          name: `${index}${text}`,
          file: text,
          machine: text,
          per: text,
        })),
      })),
    }));
    return [...pageOf(three, new Map([[range, [text]]])).matchAll(/<\/?([a-zA-Z!][^\s/>]*)/g)].map(([tag]) => tag);
  };
  const expected = skeleton('x');
  fc.assert(
    fc.property(nasty, (text) => {
      expect(skeleton(`x${text}`)).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});

test('one night, and nights of a run with nothing in it, make a page', () => {
  expect(pageOf(nights.slice(0, 1))).toContain('this is the first night');
  const empty = pageOf([
    { ...base, cells: [] },
    { ...base, cells: [] },
  ]);
  expect(empty).toContain('No benchmark was measured in these nights.');
  expect(empty).toContain('No cell was started.');
  // What has no figure in any night is not drawn.
  const none = base.cells.map((cell) => ({
    ...cell,
    figures: cell.figures.map(({ median: _median, interval: _interval, ...rest }) => ({
      ...rest,
      problem: 'it has no samples',
    })),
  }));
  expect(pageOf([{ ...base, cells: none }])).toContain('No benchmark was measured in these nights.');
});
