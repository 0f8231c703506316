import type { CellResult, RunResult } from '../../harness/events/result.ts';
import { STEPS } from '../../harness/events/types.ts';
import { formatTime } from '../words.ts';
import { axisTo, ticks } from './axis.ts';
import { criticalPath, type Span, spansOf } from './critical-path.ts';
import { html, type Markup } from './markup.ts';
import { verdictMark } from './verdict.ts';

/** Number of cells drawn openly; the shorter ones are folded. */
const SHOWN_AT_FIRST = 40;

/** A timeline: one line per cell with its steps, all on one axis, with the critical cells marked. */
export function durationsSection(run: RunResult): Markup {
  const spans = spansOf(run).filter(({ startMs, endMs }) => endMs > startMs);
  if (spans.length === 0)
    return html`<section id="durations" aria-labelledby="durations-title"><h2 id="durations-title">Durations</h2><p class="muted">No cell was started.</p></section>`;
  const path = criticalPath(spans);
  const critical = new Set(path.map(({ cell }) => cell.name));
  // With many cells the longest ones explain most; the critical ones are always there.
  const kept = new Set(
    spans
      .toSorted(
        (a, b) => Number(critical.has(b.cell.name)) - Number(critical.has(a.cell.name)) || length(b) - length(a),
      )
      .slice(0, SHOWN_AT_FIRST),
  );
  const rest = spans.filter((span) => !kept.has(span));
  const used = STEPS.filter((step) => spans.some(({ cell }) => cell.steps.some((one) => one.step === step)));
  const drawn = (some: readonly Span[]) => timeline(some, Math.max(...spans.map(({ endMs }) => endMs)), critical);
  return html`<section id="durations" aria-labelledby="durations-title"><h2 id="durations-title">Durations</h2>
<p class="lead">${pathSentence(path, run)}</p>
<ul class="legend">${used.map((step) => html`<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="2" class="s-${step}"/></svg> ${step}</li>`)}</ul>
${drawn(spans.filter((span) => kept.has(span)))}
${rest.length > 0 && html`<details><summary>${rest.length} shorter cells</summary>${drawn(rest)}</details>`}
<details><summary>Each step in figures</summary>${spans.map(({ cell }) => stepsOf(cell))}</details></section>`;
}

function length({ startMs, endMs }: Span): number {
  return endMs - startMs;
}

/** A sentence about the length of the run. */
function pathSentence(path: readonly Span[], run: RunResult): string {
  const steps = path.flatMap(({ cell }) => cell.steps.map(({ step, durationMs }) => ({ cell, step, durationMs })));
  const longest = steps.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, 3);
  const parts = longest.filter(({ durationMs }) => durationMs > 0);
  const named =
    path.length > 4 ? `${path.length} cells, one after the other` : path.map(({ cell }) => cell.name).join(', then ');
  const took = parts
    .map(({ cell, step, durationMs }) => `${step} of ${cell.name} ${formatTime(durationMs)}`)
    .join(', ');
  return `The run took ${formatTime(run.durationMs)}, with ${run.jobs} ${run.jobs === 1 ? 'cell' : 'cells'} at once. Its critical path: ${named}.${took === '' ? '' : ` The longest on it: ${took}.`}`;
}

function timeline(spans: readonly Span[], endMs: number, critical: ReadonlySet<string>): Markup {
  const axis = axisTo(endMs);
  return html`<table class="durations"><colgroup><col class="of-cell"/><col/><col class="of-time"/></colgroup><thead><tr><th scope="col">Cell</th><th scope="col">Since the run began</th><th scope="col" class="figure">Time</th></tr></thead><tbody>${spans.map(
    (span) =>
      html`<tr${critical.has(span.cell.name) && html` class="critical"`}><th scope="row">${span.cell.name}${critical.has(span.cell.name) && html` <small class="tag">critical path</small>`}</th><td class="bar">${bar(span, axis.end)}</td><td class="figure">${formatTime(length(span))}</td></tr>
`,
  )}<tr class="axis"><td></td><td class="bar">${ticks(axis, formatTime)}</td><td></td></tr></tbody></table>`;
}

function bar({ cell, startMs, endMs }: Span, end: number): Markup {
  const first = cell.steps[0];
  const began = first ? Date.parse(first.startedAt) - startMs : 0;
  const share = (ms: number): string => `${((98 * ms) / end).toFixed(2)}%`;
  return html`<svg width="100%" height="18" role="img" aria-label="${cell.steps.map(({ step, durationMs }) => `${step} ${formatTime(durationMs)}`).join(', ')}"><rect x="${(1 + (98 * startMs) / end).toFixed(2)}%" y="8" width="${share(endMs - startMs)}" height="2" class="span"/>${cell.steps
    .filter(({ durationMs }) => durationMs > 0)
    .map(
      ({ step, durationMs, startedAt }) =>
        html`<rect x="${(1 + (98 * (Date.parse(startedAt) - began)) / end).toFixed(2)}%" width="${share(durationMs)}" y="1" height="16" class="s-${step}"><title>${step}: ${formatTime(durationMs)}</title></rect>`,
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
