import type { CellArch } from '../../harness/arch/index.ts';
import { labelOf } from '../../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../../harness/events/result.ts';
import { verdictNames } from '../../harness/events/verdicts.ts';
import { formatTime, stackWords, unbroken } from '../words.ts';
import { failureOf } from './failures-model.ts';
import { cellId } from './ids.ts';
import { html, type Markup } from './markup.ts';
import { archsOf, RANKS, type Row, type Stack } from './table-model.ts';
import { verdictMark } from './verdict.ts';

/** Rows unfolded initially: as many as a browser draws in a moment. */
const UNFOLDED_ROWS = 400;

/**
 * Every test of a run: one row per test, one column per architecture. Differences and failures come first, then the
 * rest by file. The markup is as terse as possible, because a run may have 60,000 results: a cell without a class has
 * passed.
 */
export function testsSection(run: RunResult, stacks: readonly Stack[]): Markup {
  const archs = archsOf(run);
  const tested = stacks.filter(({ rows }) => rows.length > 0);
  if (tested.length === 0)
    return html`<section id="tests" aria-labelledby="tests-title"><h2 id="tests-title">Tests</h2><p class="muted">No test was planned.</p></section>`;
  const total = tested.reduce((sum, { rows }) => sum + rows.length, 0);
  const sorted = tested.toSorted((a, b) => worst(a) - worst(b));
  let unfolded = 0;
  const open = ({ rows }: Stack): boolean => {
    const wanted = unfolded === 0 || unfolded + rows.length <= UNFOLDED_ROWS;
    if (wanted) unfolded += rows.length;
    return wanted;
  };
  return html`<section id="tests" aria-labelledby="tests-title"><h2 id="tests-title">Tests</h2>
<p class="muted">${total} ${total === 1 ? 'test' : 'tests'}, a column for each architecture; what differs and what failed comes first.</p>
${filters(archs, tested)}
${sorted.map((stack) => stackTable(stack, archs, run.control, open(stack)))}</section>`;
}

function worst({ rows }: Stack): number {
  return Math.min(...rows.map(({ rank }) => rank));
}

/** Hidden until the page's script runs, without which it would do nothing. */
function filters(archs: readonly CellArch[], stacks: readonly Stack[]): Markup {
  const suites = [...new Set(stacks.map(({ suite }) => suite))];
  return html`<form id="filters" role="search" aria-label="Tests" hidden="">
<label class="wide">Search <input name="text" type="search" autocomplete="off" placeholder="name or file"/></label>
<label>Verdict <select name="verdict"><option value="">any</option><option value="differs">differs</option><option value="bad">not passed</option>${verdictNames.filter((verdict) => verdict !== 'unsupported').map((verdict) => html`<option>${verdict}</option>`)}</select></label>
<label>Architecture <select name="arch"><option value="">any</option>${archs.map((arch, index) => html`<option value="${index}">${arch}</option>`)}</select></label>
<label>Suite <select name="suite"><option value="">any</option>${suites.map((suite) => html`<option>${suite}</option>`)}</select></label>
<label>Sort <select name="sort"><option value="">failures first</option><option value="time">slowest first</option><option value="difference">largest difference first</option><option value="name">by name</option></select></label>
<button type="reset">Reset</button>
<output role="status"></output>
</form>`;
}

function stackTable(stack: Stack, archs: readonly CellArch[], control: string, open: boolean): Markup {
  const first = stack.rows.filter(({ rank }) => rank < RANKS.same).toSorted((a, b) => a.rank - b.rank);
  const files = Map.groupBy(
    stack.rows.filter(({ rank }) => rank === RANKS.same),
    ({ file }) => file,
  );
  const width = archs.length + 2;
  return html`<details class="stack" data-suite="${stack.suite}"${open && html` open=""`}><summary><h3>${stackWords(stack)}</h3> <span class="muted">${countsOf(stack)}</span></summary>
<table class="tests of-${archs.length}"><thead><tr><th scope="col">Test</th>${archs.map((arch, index) => html`<th scope="col">${arch}${arch === control && html` <small>control</small>`}${cellLink(stack.cells[index])}</th>`)}<th scope="col">Difference</th></tr></thead>
${
  first.length > 0 &&
  html`<tbody class="first">${first.map((row) => rowOf(row, stack, true))}</tbody>
`
}${[...files].map(
  ([file, rows]) => html`<tbody><tr class="file"><th colspan="${width}" scope="rowgroup">${file}</th></tr>
${rows.map((row) => rowOf(row, stack, false))}</tbody>
`,
)}</table></details>
`;
}

function cellLink(cell: CellResult | undefined): Markup {
  if (!cell) return html`<div class="muted">not planned</div>`;
  return html`<div><a href="#${cellId(cell.name)}">${verdictMark(cell.verdict)}</a></div>`;
}

function countsOf({ rows }: Stack): string {
  const of = (rank: number) => rows.filter((row) => row.rank === rank).length;
  const parts: readonly (readonly [number, string])[] = [
    [of(RANKS.differs), 'differ'],
    [of(RANKS.failed), 'failed'],
    [of(RANKS.never), 'never ended'],
    [of(RANKS.flaky), 'flaky'],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return [`${rows.length} ${rows.length === 1 ? 'test' : 'tests'}`, ...said].join(', ');
}

function rowOf(row: Row, stack: Stack, withFile: boolean): Markup {
  const { id, results, difference, file } = row;
  return html`<tr id="${id}"><th scope="row"><a href="#${id}">${labelOf(row)}</a>${withFile && html` <small>${file}</small>`}</th>${results.map((result, index) => resultOf(result, stack.cells[index]))}${
    difference && html`<td class="d ${difference.kind}">${difference.words}</td>`
  }</tr>
`;
}

function resultOf(test: TestResult | undefined, cell: CellResult | undefined): Markup {
  if (!test || !cell) return html`<td class="none"></td>`;
  const { verdict, note } = test;
  const time = test.attempts.length > 0 || test.durationMs > 0 ? unbroken(formatTime(test.durationMs)) : '';
  if (verdict === 'passed') return html`<td>${time}${note && html` <small>${note}</small>`}</td>`;
  const word = verdict === 'incomplete' ? (test.startedAt === undefined ? 'never ran' : 'never ended') : verdict;
  const link = failureOf(cell, test);
  return html`<td class="${verdict}">${link ? html`<a href="#${link}">${word}</a>` : word} ${time}${note && html` <small>${note}</small>`}</td>`;
}
