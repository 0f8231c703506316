import type { CellResult, RunResult } from '../../harness/events/result.ts';
import { mostTelling, verdictNames } from '../../harness/events/verdicts.ts';
import { partPath, type RunPart } from '../large.ts';
import { stateWords } from '../words.ts';
import { factsSection } from './facts.ts';
import { html, type Markup } from './markup.ts';
import { header, navigation } from './overview.ts';
import { archsOf } from './table-model.ts';
import { verdictMark } from './verdict.ts';

/** Suites that are listed; the pages have all of them. */
const MOST_SUITES = 2000;

/** A suite in a part of a run. */
interface SuiteRow {
  readonly suite: string;
  readonly part: number;
  readonly cells: readonly CellResult[];
}

/**
 * What a page of a run in parts has: a table of suites and architectures, with how many cells came to what, that leads to the
 * pages of the parts. Suites that passed everywhere are only on these.
 * @param page the file that the pages are named after.
 */
export function indexOf(
  run: RunResult,
  parts: readonly RunPart[],
  page: string,
): { readonly title: string; readonly body: Markup } {
  const archs = archsOf(run);
  const rows = parts.flatMap(({ run: { cells }, number }): SuiteRow[] =>
    [...Map.groupBy(cells, ({ suite }) => suite)].map(([suite, own]) => ({ suite, part: number, cells: own })),
  );
  const telling = rows.filter(({ cells }) => cells.some(({ verdict }) => verdict !== 'passed'));
  const left = telling.length - MOST_SUITES;
  const table = (first: string, of: readonly SuiteRow[]) => html`<table class="matrix cols-${archs.length}">
<thead><tr><th scope="col" class="corner">${first}</th>${archs.map((arch) => html`<th scope="col">${arch}</th>`)}</tr></thead>
<tbody>${of.map(
    ({ suite, part, cells }) => html`<tr><th scope="row"><a href="${partPath(page, part)}">${suite}</a></th>${archs.map(
      (arch) => square(cells.filter((cell) => cell.arch === arch)),
    )}</tr>
`,
  )}</tbody></table>`;
  const pages = parts.map(({ run: { cells }, number }): SuiteRow => {
    const [from, to] = [cells[0]!.suite, cells.at(-1)!.suite];
    return { suite: from === to ? from : `${from} … ${to}`, part: number, cells };
  });
  return {
    title: `${stateWords[run.state]}: ${run.matrix.name}`,
    body: html`<div class="page">
${header(run, undefined)}
${navigation([
  ...(telling.length > 0 ? [['suites', 'Suites', telling.length] as const] : []),
  ['pages', 'Pages', parts.length],
  ['facts', 'Facts'],
])}
<main>
${
  telling.length > 0 &&
  html`<section id="suites" aria-labelledby="suites-title"><h2 id="suites-title">Suites that did not pass everywhere</h2>
${table('Suite', telling.slice(0, MOST_SUITES))}
${left > 0 && html`<p>${left} more are on the pages below.</p>`}</section>`
}
<section id="pages" aria-labelledby="pages-title"><h2 id="pages-title">Pages</h2>
${table('Suites', pages)}</section>
${factsSection({ ...run, cells: [] }, partPath('junit.xml', 1))}
</main>
</div>`,
  };
}

function square(cells: readonly CellResult[]): Markup {
  if (cells.length === 0) return html`<td class="none">not planned</td>`;
  const counts = Map.groupBy(cells, ({ verdict }) => verdict);
  const there = verdictNames.filter((verdict) => counts.has(verdict));
  return html`<td class="cell b-${mostTelling(there)!}">${there.map(
    (verdict) => html`<div>${verdictMark(verdict)} ${counts.get(verdict)!.length}</div>`,
  )}</td>`;
}
