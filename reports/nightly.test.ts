import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { seededRandom } from '../harness/bench/random.ts';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import { newRegressions } from '../harness/nights/news.ts';
import { type Night, nightOf } from '../harness/nights/night.ts';
import { trendsOf } from '../harness/nights/trends.ts';
import { withoutFiles } from './fixtures/without-files.ts';
import { renderFeed } from './nightly/feed.ts';
import { renderIndex } from './nightly/index-page.ts';
import { renderNightly } from './nightly.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const base = nightOf(foldEvents((await readEvents(join(fixtures, 'events.jsonl'))).events));

/** It fails in every night except the last. */
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

const withRuns = (nights: readonly Night[]) => ({ reports: new Set(nights.map(({ run }) => run)) });

const pageOf = (nights: readonly Night[], log: ReadonlyMap<string, readonly string[]> = new Map()): string =>
  renderNightly({ nights, trends: trendsOf(nights), log });
const nights = nightsOf(34);
const range = `${nights[19]!.git!.sha.slice(0, 10)}..${nights[20]!.git!.sha.slice(0, 10)}`;
const page = pageOf(nights, new Map([[range, ['1a2b3c4 Every answer has a checksum', '5d6e7f8 Notes']]]));

test('the page equals its golden', async () => {
  const file = join(fixtures, 'nightly.golden.html');
  if (process.env['UPDATE_GOLDENS'] === '1') await writeFile(file, withoutFiles(page));
  expect(withoutFiles(page)).toBe(await readFile(file, 'utf8'));
});

test('the change is shown with its commits, and there is no other', () => {
  expect(page.match(/class="change-card/g)).toHaveLength(1);
  expect(page).toContain(`<code>git log ${range}</code>`);
  expect(page).toContain('<li>1a2b3c4 Every answer has a checksum</li>');
  expect(page).toMatch(/<a href="#change-1" aria-label="[^"]*"><path class="change up"/);
});

test('news come first: a cell that recovered, and a benchmark that became certain last night', () => {
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

test('cells that were already red the night before are listed, with since when and why', () => {
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

test('the page needs no network, and its policy admits only our style and script', () => {
  const hash = (tag: string) => {
    const [, text] = page.match(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`))!;
    return createHash('sha256').update(text!).digest('base64');
  };
  expect(page).toContain(
    `content="default-src 'none'; style-src 'sha256-${hash('style')}'; script-src 'sha256-${hash('script')}'; base-uri 'none'; form-action 'none'"`,
  );
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page.split('<script>')[0]).not.toMatch(
    /<[^>]*\s(src|style|on\w+)=|url\(|@import|<link|href="(?!#|https:\/\/github\.com\/)/,
  );
});

test('every link inside the page leads somewhere, and tags are closed in order', async () => {
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${target}"`);
  const body = page
    .match(/<main>[\s\S]*<\/main>/)![0]
    .replaceAll('&#39;', '’')
    .replace('<form class="tools" hidden>', '<form class="tools" hidden="">')
    .replaceAll(/<input ([^>]*)>/g, '<input $1/>');
  const symbols = [...page.matchAll(/<symbol id="(v-\w+)"/g)].map(([, id]) => id);
  expect(symbols.length).toBeGreaterThan(5);
  expect((await validateXML({ xml: body, normalization: 'format' })).errors).toEqual([]);
});

test('no path has an invalid number', () => {
  for (const [, path] of page.matchAll(/<path class="[^"]*" d="([^"]*)"/g))
    expect(path).toMatch(/^M[MLHVhvz0-9 .-]*$/i);
  expect(withoutFiles(page)).not.toMatch(/NaN|Infinity|undefined/);
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

test('one night, or nights of empty runs, make a page', () => {
  expect(pageOf(nights.slice(0, 1))).toContain('this is the first night');
  const empty = pageOf([
    { ...base, cells: [] },
    { ...base, cells: [] },
  ]);
  expect(empty).toContain('No benchmark was measured in these nights.');
  expect(empty).toContain('No cell was started.');
  // A benchmark without a figure in any night is not drawn.
  const none = base.cells.map((cell) => ({
    ...cell,
    figures: cell.figures.map(({ median: _median, interval: _interval, ...rest }) => ({
      ...rest,
      problem: 'it has no samples',
    })),
  }));
  expect(pageOf([{ ...base, cells: none }])).toContain('No benchmark was measured in these nights.');
});

test('nights, squares and changes lead to reports beside the page, to commits and to runs', () => {
  const links = withRuns(nights.slice(-5));
  const linked = renderNightly({ nights, trends: trendsOf(nights), log: new Map(), links });
  expect(linked).toMatch(/<a href="runs\/run-33\/index\.html" title="2026-02-03 03:17: passed/);
  // A night without a report links to its CI's page.
  expect(linked).toMatch(/<a href="https:\/\/github\.com\/octo\/widget\/actions\/runs\/77" title="2026-01-05/);
  const card = linked.match(/<article class="change-card[\s\S]*?<\/article>/)![0];
  const { sha } = nights[19]!.git!;
  expect(card).toContain(`<a href="https://github.com/octo/widget/commit/${sha}"><code>${sha.slice(0, 10)}</code></a>`);
});

test('only web addresses and valid commits from events become links', () => {
  const hostile = nights.slice(0, 3).map((night) => ({ ...night, origin: { url: 'javascript:alert(1)' } }));
  const of = (commitUrl?: string) =>
    renderNightly({
      nights: hostile,
      trends: trendsOf(hostile),
      log: new Map(),
      links: { reports: new Set(), commitUrl },
    });
  expect(of()).not.toMatch(/href="(?!#)/);
  expect(of('https://git.example.org/c/{sha}')).toContain(`href="https://git.example.org/c/${hostile[2]!.git!.sha}"`);
  expect(of('javascript:{sha}')).not.toMatch(/href="(?!#)/);
});

test('a test that recently went wrong has its health: how often, since when, and its last message', () => {
  const bad = { file: 'a.scenario.ts', name: 'answers', verdict: 'failed', error: 'expected 1 to be 2' } as const;
  const of = nights.map((night, at) => ({
    ...night,
    cells: night.cells.map((cell) =>
      cell.name === 'amd64/vm/smoke'
        ? { ...cell, tests: at === 10 || at > 30 ? [bad] : at === 20 ? [{ ...bad, verdict: 'flaky' as const }] : [] }
        : { ...cell, tests: [] },
    ),
  }));
  const section = pageOf(of).match(/<section id="tests">[\s\S]*?<\/section>/)![0];
  expect(section.match(/<tr><th scope="row">/g)).toHaveLength(1);
  expect(section).toMatch(
    /answers <small>amd64\/vm\/smoke, a\.scenario\.ts<\/small> <small class="tag v-failed">in the last night/,
  );
  expect(section).toMatch(
    /4 of 30<\/td><td class="figure" data-value="1">1<\/td>.*2026-01-11.*2026-02-03.*expected 1 to be 2/s,
  );
});

test('the jobs of the newest nights are a table like that of a CI', () => {
  const section = page.match(/<section id="jobs">[\s\S]*?<\/section>/)![0];
  for (const word of ['octo/widget', 'main', 'amd64/vm/web', 'non-voting', '2026-03-14'])
    expect(section).toContain(word);
});

test('triaged findings are marked', () => {
  const triage = [
    {
      state: 'expected',
      cell: 'amd64/vm/web',
      benchmark: trendsOf(nights).groups[0]!.members[0]!.trend.series.name,
      note: 'checksums',
    },
  ] as const;
  const shown = renderNightly({ nights, trends: trendsOf(nights), log: new Map(), triage });
  expect(shown).toContain('<small class="tag triage">expected: checksums</small>');
});

test('every trend has its dates, and its figures for the script', () => {
  expect(page).toMatch(
    /<div class="dates" aria-hidden="true"><span>2026-01-01<\/span><span>2026-01-17<\/span><span>2026-02-03<\/span>/,
  );
  for (const [, from, values] of page.matchAll(/data-from="(\d+)" data-values="([^"]*)"/g)) {
    expect(Number(from) + values!.split(' ').length).toBeLessThanOrEqual(nights.length);
    expect(values).toMatch(/^(-|[\d.e-]+)( (-|[\d.e-]+))*$/);
  }
});

test('the feed has the regressions, each with a stable id, and is valid XML', async () => {
  const red = nights.slice(0, 33);
  const feed = (of: readonly Night[]) =>
    renderFeed(of, trendsOf(of), withRuns(of), { site: 'https://example.org/nights/', page: 'nightly.html' });
  const text = feed(red);
  expect((await validateXML({ xml: text, normalization: 'format' })).errors).toEqual([]);
  expect(text).toContain(
    '<link rel="alternate" type="text/html" href="https://example.org/nights/runs/run-20/index.html"/>',
  );
  const ids = (of: string) => [...of.matchAll(/<id>(urn:uuid:[^<]+)<\/id>/g)].map(([, id]) => id);
  expect(ids(text).length).toBeGreaterThan(1);
  expect(new Set(ids(text)).size).toBe(ids(text).length);
  expect(ids(feed(nights))).toEqual(expect.arrayContaining(ids(text)));
});

test('a new regression is reported once, and not if it has been triaged', () => {
  const turned = (at: number) =>
    nights.slice(0, at + 1).map((night, index) => ({
      ...night,
      cells: night.cells.map((cell) =>
        cell.name === 'amd64/vm/smoke'
          ? { ...cell, voting: true, verdict: index === at ? ('failed' as const) : ('passed' as const), tests: [] }
          : { ...cell, verdict: 'passed' as const, tests: [], figures: [] },
      ),
    }));
  const news = (of: readonly Night[], triage: Parameters<typeof newRegressions>[2] = []) =>
    newRegressions(of, trendsOf(of), triage).map((one) => (one.kind === 'benchmark' ? one.kind : one.cell.name));
  const of = turned(12);
  expect(news(of)).toEqual(['amd64/vm/smoke']);
  expect(news([...of, { ...of[12]!, run: 'later', startedAt: '2026-01-14T03:17:00.000Z' }])).toEqual([]);
  expect(news(of, [{ state: 'acknowledged', cell: 'amd64/**' }])).toEqual([]);
  expect(news(of, [{ state: 'fixed', cell: 'amd64/**', until: '2026-01-12' }])).toEqual(['amd64/vm/smoke']);
  const quiet = of.map((night) => ({ ...night, cells: night.cells.map((cell) => ({ ...cell, voting: false })) }));
  expect(news(quiet)).toEqual([]);
  const slow = nights.slice(0, 34);
  const since = Array.from({ length: 13 }, (_, more) => 22 + more).find((count) =>
    news(nightsOf(count)).includes('benchmark'),
  );
  expect(since).toBeGreaterThan(22);
  expect(news(slow)).not.toContain('benchmark');
});

test('the index lists the matrices of a history', () => {
  const entry = { matrix: '<nightly>', nights, changes: 1, regressions: 2, page: 'nightly.html', feed: 'nightly.atom' };
  const index = renderIndex([entry, { ...entry, matrix: 'other', page: 'other.html' }]);
  expect(index).toContain('<a href="nightly.html">&lt;nightly&gt;</a>');
  expect(index).toContain('<a href="other.html">other</a>');
});

test('a quarantine entry shows its age, its extensions and its owner', () => {
  const entry = { test: 'serves *', arch: ['arm64'], link: 'https://b.example/<1>', owner: 'ada', passes: 0 };
  const days = [...Array<string>(4).fill('2026-01-30'), ...Array<string>(26).fill('2026-02-10')];
  const kept = nights.map((night, at) =>
    at < 4 ? night : { ...night, quarantine: [{ ...entry, expires: days[at - 4]!, passes: at - 4 }] },
  );
  const section = /<section id="quarantine">.*?<\/section>/s.exec(pageOf(kept))![0];
  expect(section).toContain('<th scope="row">serves * <small>arm64</small></th>');
  expect(section).toContain('href="https://b.example/&lt;1&gt;"');
  expect(section).toContain('2026-01-05 <small>29 days</small>');
  expect(section).toContain('once, before until 2026-01-30');
  expect(section).toContain('2026-02-10 <small>7 days left</small>');
  expect(section).toContain('29 <small class="tag v-passed">ready to leave</small>');
  expect(pageOf(kept)).toContain('<a href="#quarantine">Quarantine</a>');
  expect(page).not.toContain('id="quarantine"');
});

test('a cell with only quarantined failures is neither news nor still wrong', () => {
  const red = (excused: object) =>
    nights.map((night, at) => ({
      ...night,
      cells: night.cells.map((cell) =>
        cell.name === failing && at >= nights.length - 2
          ? {
              ...cell,
              verdict: 'failed' as const,
              tests: cell.tests.map((one) => ({ ...one, ...excused })),
              ...excused,
            }
          : cell,
      ),
    }));
  expect(pageOf(red({}))).toContain(`${failing}: still`);
  const excused = pageOf(red({ excused: true }));
  expect(excused).not.toContain(`${failing}: still`);
  expect(excused).toContain('2 in quarantine');
});
