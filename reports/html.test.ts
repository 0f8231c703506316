import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { CellAttempt, CellResult, RunResult } from '../harness/events/result.ts';
import { html } from './html/markup.ts';
import { renderHtml } from './html.ts';

const run = foldEvents((await readEvents(join(import.meta.dirname, 'fixtures', 'events.jsonl'))).events);
/** The tags of a page, without text and attributes' values. */
const skeleton = (page: string): string[] => [...page.matchAll(/<\/?([a-zA-Z!][^\s/>]*)/g)].map(([tag]) => tag);

test('the page needs no network, and its policy admits its own style and script and nothing else', () => {
  const page = renderHtml(run);
  const hash = (tag: string) => {
    const [, text] = page.match(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`))!;
    return `'sha256-${createHash('sha256').update(text!).digest('base64')}'`;
  };
  expect(page).toContain(
    `content="default-src 'none'; style-src ${hash('style')}; script-src ${hash('script')}; base-uri 'none'; form-action 'none'"`,
  );
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toMatch(
    /<[^>]*\s(src|style|on\w+)=|url\(|@import|<link|href="(?!#|\.\/|\.\.\/|https:\/\/github\.com\/)/,
  );
});

test('the page holds no second copy of results.json', () => {
  expect(renderHtml(run)).not.toContain('"schemaVersion"');
});

test('of a cluster every machine has its facts', () => {
  const [cell] = run.cells as [CellResult];
  const nodes = { n1: cell.facts!, n2: { ...cell.facts!, arch: 'ppc64le', cpu: 'power9 & <more>' } as const };
  const page = renderHtml({ ...run, cells: [{ ...cell, nodes }] });
  expect(page).toContain('<h3>n2 <span class="muted">ppc64le</span></h3>');
  expect(page).toContain('<dd>power9 &amp; &lt;more&gt;</dd>');
});

test('a CI run links to its page and that of its commit, if the address is a web address', () => {
  const git = { sha: '12a161018b0d', dirty: false };
  const of = (url: string) => renderHtml({ ...run, git, origin: { ci: 'GitHub Actions', pipeline: 'nightly', url } });
  const page = of('https://github.com/owner/name/actions/runs/7/attempts/1');
  expect(page).toContain(
    '<a href="https://github.com/owner/name/actions/runs/7/attempts/1">GitHub Actions, nightly</a>',
  );
  expect(page).toContain('<a href="https://github.com/owner/name/commit/12a161018b0d">');
  expect(of('https://gitlab.example/a/b/-/pipelines/9')).toContain(
    '"https://gitlab.example/a/b/-/commit/12a161018b0d"',
  );
  expect(of('javascript:alert(1)')).not.toContain('javascript');
});

test('every link inside the page leads somewhere', () => {
  const page = renderHtml(run);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${target}"`);
});

test('no text of a guest becomes markup, wherever it stands', () => {
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
  const pageOf = (text: string): RunResult => {
    const error = {
      type: text,
      message: text,
      hint: text,
      stack: `x\n    at ${text}`,
      diff: text,
      file: text,
      causes: [text],
      consoleTail: [text],
    };
    const cell: CellResult = {
      ...run.cells[3]!,
      reason: text,
      enter: text,
      artifacts: [text],
      logs: [{ level: 'warn', message: text }],
      facts: { ...run.cells[3]!.facts!, cpu: text, kernel: text },
      tests: [
        {
          step: 'scenarios',
          file: text,
          name: text,
          verdict: 'failed',
          durationMs: 1,
          note: text,
          control: 'control-unknown',
          attempts: [{ verdict: 'failed', durationMs: 1, errors: [error] }],
        },
      ],
      benchmarks: run.cells[3]!.benchmarks.map((benchmark) => ({ ...benchmark, per: text, warnings: [text] })),
    };
    const origin = { ci: text, project: text, branch: text, pipeline: text, change: text, url: 'javascript:alert(1)' };
    return { ...run, origin, matrix: { name: text, file: text }, jobsReason: text, cells: [cell] };
  };
  // Only "x" is sure to be one line that is not blank; everything else must give the same tags.
  const expected = skeleton(renderHtml(pageOf('x')));
  fc.assert(
    fc.property(nasty, (text) => {
      expect(skeleton(renderHtml(pageOf(`x${text}`)))).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test('values in a template are text, also in lists and attributes', () => {
  expect(html`<a title="${'"<&'}">${['<b>', html`<i>`, undefined, false, 0]}</a>`.text).toBe(
    '<a title="&quot;&lt;&amp;">&lt;b&gt;<i>0</a>',
  );
});

test('tags are closed in order', async () => {
  // The page is HTML; its void elements aside it is also XML, which is the stricter check.
  const body = renderHtml(run)
    .match(/<main>[\s\S]*<\/main>/)![0]
    .replaceAll('&#39;', '’');
  expect((await validateXML({ xml: body, normalization: 'format' })).errors).toEqual([]);
});

test('empty runs still make a page', () => {
  expect(renderHtml({ ...run, state: 'incomplete', exitCode: 4, cells: [] })).toContain('No cell was planned.');
  const green = renderHtml({ ...run, state: 'passed', exitCode: 0, cells: run.cells.slice(0, 1) });
  expect(green).toContain('class="matrix cols-1"');
  expect(green).not.toContain('What went wrong');
});

test('a failed test shows its output, its commands, and its quarantine', () => {
  const log = [
    { type: 'printed' as const, atMs: 1, stream: 'stdout' as const, text: '<b>hello</b>\n' },
    {
      ...{ type: 'command' as const, atMs: 2, argv: ['sh', '-c', 'nginx -t'], exitCode: 1, durationMs: 40 },
      ...{ stdout: '', stderr: 'no such file\n' },
    },
  ];
  const quarantine = {
    ...{ link: 'https://bugs.example/7', expires: '2026-12-31', where: 'quarantine.yaml:1:3' },
    ...{ state: 'active' as const, daysLeft: 12, passes: 0 },
  };
  const cells = run.cells.map((cell) => ({
    ...cell,
    tests: cell.tests.map((one) =>
      one.verdict === 'failed'
        ? { ...one, quarantine, attempts: one.attempts.map((attempt) => ({ ...attempt, log })) }
        : one,
    ),
  }));
  const page = renderHtml({ ...run, cells });
  expect(page).toContain('What it printed and ran');
  expect(page).toContain('stdout | &lt;b&gt;hello&lt;/b&gt;');
  expect(page).toContain('$ nginx -t  (exit 1, 40.0 ms)');
  expect(page).toContain('stderr: no such file');
  expect(page).toContain('https://bugs.example/7');
});

test('each machine that was replaced has what it died of, its console and what its tests did', () => {
  const [first] = run.cells as [CellResult];
  const error = {
    ...{ type: 'InfraError', message: 'cannot go on with the guest: QEMU is gone' },
    consoleTail: ['[1.0] its last words'],
  };
  const attempt = {
    ...({ verdict: 'infra', durationMs: 5 } as const),
    errors: [{ type: 'InfraError', message: 'the connection was lost' }],
    log: [{ type: 'printed', stream: 'stdout', text: 'going to wait', atMs: 1 }],
    console: ['waiting'],
  } as const;
  const waits = { step: 'scenarios', file: 'w.scenario.ts', name: 'waits', verdict: 'infra', durationMs: 5 } as const;
  const earlier: CellAttempt = {
    ...({ verdict: 'infra' } as const),
    ...{ reason: 'QEMU is gone', durationMs: 9, logs: [] },
    steps: [{ ...{ step: 'scenarios', verdict: 'infra', startedAt: run.startedAt, durationMs: 7 }, phases: [], error }],
    tests: [
      { ...waits, attempts: [attempt] },
      { ...waits, name: 'never began', verdict: 'incomplete', attempts: [] },
    ],
    artifacts: [`cells/${first.name}/attempt-1/console.log`],
  };
  const page = renderHtml({ ...run, cells: [{ ...first, earlier: [earlier] }, ...run.cells.slice(1)] });
  const section = /<section id="replaced".*?<\/section>/s.exec(page)![0];
  for (const words of [
    ...['machine 1: step scenarios', 'QEMU is gone', '[1.0] its last words'],
    ...['machine 1: waits', 'the connection was lost', 'going to wait', 'waiting', 'attempt-1/console.log'],
  ])
    expect(section).toContain(words);
  // The next machine had it to run.
  expect(section).not.toContain('never began');
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${target}"`);
  expect(renderHtml(run)).not.toContain('id="replaced"');
});
