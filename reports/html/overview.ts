import { archNames, type CellArch } from '../../harness/arch/index.ts';
import type { CellResult, RunResult } from '../../harness/events/result.ts';
import { acceleratorWords, formatTime, stateWords } from '../words.ts';
import { anchor, html, type Markup } from './markup.ts';
import { sign, signOfState, verdictMark } from './verdict.ts';

/** Verdict, counts, and what was run. */
export function header(run: RunResult, failures: number): Markup {
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
  const cells = `${run.cells.length} ${run.cells.length === 1 ? 'cell' : 'cells'}`;
  return html`<header>
<p class="eyebrow">${run.matrix.name} <span>run ${run.run}</span></p>
<h1 class="v-${signOfState(run.state)}">${sign(signOfState(run.state))} ${stateWords[run.state]}</h1>
<p class="lead">${cells} in ${formatTime(run.durationMs)}, started <time datetime="${run.startedAt}">${run.startedAt.slice(0, 16).replace('T', ' ')} UTC</time>${
    run.git && html`, commit <code>${run.git.sha.slice(0, 10)}</code>${run.git.dirty && ' with local changes'}`
  }. Exit code ${run.exitCode}.</p>
<dl class="counts">${numbers.map(
    ([word, count, verdict]) =>
      html`<div class="${count > 0 && verdict ? `v-${verdict}` : 'plain'}"><dt>${word}</dt><dd>${count}</dd></div>`,
  )}</dl>
<nav><a href="#cells">Cells</a>${failures > 0 && html`<a href="#failures">Failures <b>${failures}</b></a>`}<a href="#timing">Timing</a><a href="#durations">Durations</a><a href="#tests">All tests</a>${run.cells.some(({ packages }) => packages) && html`<a href="#packages">Packages</a>`}<a href="#facts">Facts</a></nav>
</header>`;
}

/** Suites, kinds of target and releases down, architectures across. */
export function cellsSection(run: RunResult): Markup {
  if (run.cells.length === 0) return html`<section id="cells"><h2>Cells</h2><p>No cell was planned.</p></section>`;
  const known: readonly CellArch[] = archNames;
  const mixed = run.cells.map(({ arch }) => arch).filter((arch) => !known.includes(arch));
  const archs = [...known.filter((arch) => run.cells.some((cell) => cell.arch === arch)), ...new Set(mixed)];
  const rows = Map.groupBy(run.cells, ({ suite, target, release }) => JSON.stringify([suite, target, release]));
  return html`<section id="cells"><h2>Cells</h2>
<table class="matrix cols-${archs.length}"><thead><tr><th scope="col" class="corner">Suite</th>${archs.map(
    (arch) => html`<th scope="col">${arch}${arch === run.control && html` <small>control</small>`}</th>`,
  )}</tr></thead>
<tbody>${[...rows.values()].map(
    (
      cells,
    ) => html`<tr><th scope="row">${cells[0]!.suite} <small>${cells[0]!.target}${cells[0]!.release && ` ${cells[0]!.release}`}</small></th>${archs.map((arch) => square(cells.find((cell) => cell.arch === arch)))}</tr>
`,
  )}</tbody></table></section>`;
}

function square(cell: CellResult | undefined): Markup {
  if (!cell) return html`<td class="none">not planned</td>`;
  const good = cell.tests.filter(({ verdict }) => verdict === 'passed' || verdict === 'flaky').length;
  const ran = cell.tests.length > 0;
  const details = [
    ...(ran ? [`${good} of ${cell.tests.length} passed`] : []),
    ...(cell.durationMs > 0 ? [formatTime(cell.durationMs)] : []),
  ];
  return html`<td class="cell b-${cell.verdict}"><a href="#${anchor(cell.name)}">${verdictMark(cell.verdict)}</a>${
    !cell.voting && html` <small class="tag">non-voting</small>`
  }<div class="details">${details.join(', ')}</div>${cell.facts && html`<div class="details">${acceleratorWords[cell.facts.accelerator]}</div>`}${cell.reason && html`<div class="reason">${cell.reason}</div>`}</td>`;
}
