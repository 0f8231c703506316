import type { CellResult, RunResult } from '../../harness/events/result.ts';
import { STEPS } from '../../harness/events/types.ts';
import { formatTime } from '../words.ts';
import { html, type Markup } from './markup.ts';
import { verdictMark } from './verdict.ts';

/** Where the time of each cell went: one stacked bar a cell, all on one axis. */
export function durationsSection(run: RunResult): Markup {
  const cells = run.cells.filter(({ steps }) => steps.length > 0);
  if (cells.length === 0)
    return html`<section id="durations"><h2>Durations</h2><p class="muted">No cell was started.</p></section>`;
  const longest = Math.max(...cells.map(total));
  return html`<section id="durations"><h2>Durations</h2>
<ul class="legend">${STEPS.map((step) => html`<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="2" class="s-${step}"/></svg> ${step}</li>`)}</ul>
<table class="durations"><tbody>${cells.map(
    (
      cell,
    ) => html`<tr><th scope="row">${cell.name}</th><td class="bar">${bar(cell, longest)}${phasesOf(cell)}</td><td class="figure">${formatTime(total(cell))}</td></tr>
`,
  )}</tbody></table>
<details><summary>Each step in figures</summary>${cells.map(stepsOf)}</details></section>`;
}

/** The parts of the long steps, such as the building of an image, for whoever asks where minutes went. */
function phasesOf(cell: CellResult): Markup {
  const long = cell.steps.filter(({ phases }) => phases.length > 0);
  return html`${long.map(
    ({ step, phases }) =>
      html`<div class="phases">${step}: ${phases.map(({ name, durationMs }) => `${name} ${formatTime(durationMs)}`).join(', ')}</div>`,
  )}`;
}

function total(cell: CellResult): number {
  return cell.steps.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function bar(cell: CellResult, longest: number): Markup {
  const share = (ms: number): number => (longest > 0 ? (100 * ms) / longest : 0);
  let x = 0;
  return html`<svg width="100%" height="20" role="img" aria-label="${cell.steps.map(({ step, durationMs }) => `${step} ${formatTime(durationMs)}`).join(', ')}">${cell.steps.map(
    ({ step, durationMs }) => {
      const start = x;
      x += share(durationMs);
      return html`<rect x="${start.toFixed(3)}%" width="${share(durationMs).toFixed(3)}%" height="20" class="s-${step}"><title>${step}: ${formatTime(durationMs)}</title></rect>`;
    },
  )}</svg>`;
}

function stepsOf(cell: CellResult): Markup {
  return html`<h4>${cell.name}</h4><table class="plain"><tbody>${cell.steps.map(
    ({ step, verdict, durationMs, phases, note }) =>
      html`<tr><th scope="row">${step}</th><td>${verdictMark(verdict)}</td><td class="figure">${formatTime(durationMs)}</td><td class="muted">${[
        ...phases.map((phase) => `${phase.name} ${formatTime(phase.durationMs)}`),
        ...(note ? [note] : []),
      ].join(' · ')}</td></tr>`,
  )}</tbody></table>
`;
}
