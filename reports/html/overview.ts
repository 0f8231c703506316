import type { CellResult, RunResult } from '../../harness/events/result.ts';
import { acceleratorWords, formatTime, stackWords, stateWords } from '../words.ts';
import { cellId } from './ids.ts';
import { html, type Markup } from './markup.ts';
import { commitLink, originOf } from './origin.ts';
import { archsOf, type Stack } from './table-model.ts';
import { sign, signOfState, verdictMark } from './verdict.ts';

/** Number of stacks shown; beyond that, those that are green everywhere are folded. */
const SHOWN_AT_FIRST = 8;

/** Verdict, counts, and facts of the run. */
export function header(run: RunResult, brief: Markup | undefined): Markup {
  const { counts } = run;
  const numbers: readonly (readonly [string, number, string])[] = [
    ['planned', counts.planned, ''],
    ['passed', counts.passed, 'passed'],
    ['failed', counts.failed, 'failed'],
    ['flaky', counts.flaky, 'flaky'],
    ['skipped', counts.skipped, 'skipped'],
    ...(counts.infra > 0 ? [['infra', counts.infra, 'infra'] as const] : []),
    ['never ran', counts.neverRan, 'incomplete'],
  ];
  const from = originOf(run);
  const cells = `${run.cells.length} ${run.cells.length === 1 ? 'cell' : 'cells'}`;
  return html`<header>
<p class="eyebrow">${run.matrix.name} <span>run ${run.run}</span></p>
<h1 class="v-${signOfState(run.state)}">${sign(signOfState(run.state))} ${stateWords[run.state]}</h1>
<p class="lead">${cells} in ${formatTime(run.durationMs)}, started <time datetime="${run.startedAt}">${run.startedAt.slice(0, 16).replace('T', ' ')} UTC</time>${
    run.git && html`, commit ${commitLink(run, 10)}`
  }${from && html`, by ${from}`}. Exit code ${run.exitCode}.</p>
<dl class="counts">${numbers.map(
    ([word, count, verdict]) =>
      html`<div class="${count > 0 && verdict ? `v-${verdict}` : 'plain'}"><dt>${word}</dt><dd>${count}</dd></div>`,
  )}</dl>
${brief}
</header>`;
}

/** Links to the page's existing parts. */
export function navigation(parts: readonly (readonly [id: string, title: string, count?: number])[]): Markup {
  return html`<nav aria-label="Parts of the page">${parts.map(
    ([id, title, count]) => html`<a href="#${id}">${title}${count !== undefined && html` <b>${count}</b>`}</a>`,
  )}</nav>`;
}

/** Suites, kinds of target and releases down, architectures across. */
export function cellsSection(run: RunResult, stacks: readonly Stack[]): Markup {
  if (stacks.length === 0)
    return html`<section id="cells" aria-labelledby="cells-title"><h2 id="cells-title">Cells</h2><p>No cell was planned.</p></section>`;
  const dull = (stack: Stack) => stack.cells.every((cell) => !cell || cell.verdict === 'passed');
  const telling = stacks.filter((stack) => !dull(stack));
  const green = stacks.filter(dull);
  const [shown, folded] = stacks.length <= SHOWN_AT_FIRST ? [stacks, []] : [telling, green];
  const more = shown.slice(3 * SHOWN_AT_FIRST);
  return html`<section id="cells" aria-labelledby="cells-title"><h2 id="cells-title">Cells</h2>
${shown.length > 0 && matrixOf(shown.slice(0, 3 * SHOWN_AT_FIRST), run)}
${more.length > 0 && html`<details><summary>${more.length} more that did not pass everywhere</summary>${matrixOf(more, run)}</details>`}
${folded.length > 0 && html`<details><summary>${verdictMark('passed')} ${folded.length} that passed everywhere</summary>${matrixOf(folded, run)}</details>`}</section>`;
}

function matrixOf(stacks: readonly Stack[], run: RunResult): Markup {
  const archs = archsOf(run);
  return html`<table class="matrix cols-${archs.length}"><thead><tr><th scope="col" class="corner">Suite</th>${archs.map(
    (arch) => html`<th scope="col">${arch}${arch === run.control && html` <small>control</small>`}</th>`,
  )}</tr></thead>
<tbody>${stacks.map(
    (stack) =>
      html`<tr><th scope="row">${stack.suite} <small>${stackWords(stack).slice(stack.suite.length + 1)}</small></th>${stack.cells.map(square)}</tr>
`,
  )}</tbody></table>`;
}

function square(cell: CellResult | undefined): Markup {
  if (!cell) return html`<td class="none">not planned</td>`;
  const good = cell.tests.filter(({ verdict }) => verdict === 'passed' || verdict === 'flaky').length;
  const ran = cell.tests.length > 0;
  const details = [
    ...(ran ? [`${good} of ${cell.tests.length} passed`] : []),
    ...(cell.durationMs > 0 ? [formatTime(cell.durationMs)] : []),
  ];
  return html`<td class="cell b-${cell.verdict}"><a href="#${cellId(cell.name)}">${verdictMark(cell.verdict)}</a>${
    !cell.voting && html` <small class="tag">non-voting</small>`
  }<div class="details">${details.join(', ')}</div>${cell.facts && html`<div class="details">${acceleratorWords[cell.facts.accelerator]}</div>`}${cell.reason && html`<div class="reason">${cell.reason}</div>`}</td>`;
}
