import { STEPS, type StepName } from '../../harness/events/types.ts';
import { verdictNames } from '../../harness/events/verdicts.ts';
import type { Night, NightCell } from '../../harness/nights/night.ts';
import { html, type Markup } from '../html/markup.ts';
import { sign } from '../html/verdict.ts';
import { acceleratorOf, formatTime } from '../words.ts';
import { type NightLinks, reportHref, runHref } from './links.ts';
import { when } from './words.ts';

/** Nights shown on the board and in the durations. */
export const SHOWN = 30;

/** A cell in the nights shown; undefined where it was not in the run. */
interface Line {
  readonly name: string;
  readonly cells: readonly (NightCell | undefined)[];
  readonly last: NightCell;
}

function linesOf(nights: readonly Night[]): Line[] {
  const names = [...new Set(nights.toReversed().flatMap(({ cells }) => cells.map(({ name }) => name)))];
  return names.map((name) => {
    const cells = nights.map((night) => night.cells.find((cell) => cell.name === name));
    return { name, cells, last: cells.findLast((cell) => cell !== undefined)! };
  });
}

/** How each cell ended in each of the last nights, the newest on the right. */
export function boardSection(all: readonly Night[], links: NightLinks): Markup {
  const nights = all.slice(-SHOWN);
  return html`<section id="cells"><h2>Cells</h2><p class="muted">The last ${nights.length} nights, ${nights[0]!.startedAt.slice(0, 10)} on the left to ${nights.at(-1)!.startedAt.slice(0, 10)} on the right.</p>
<div class="board">${linesOf(nights).map(
    ({
      name,
      cells,
      last,
    }) => html`<div class="entry"><div class="of"><b>${name}</b> <small>${about(last)}</small></div><div class="signs">${cells.map((cell, at) => square(cell, nights[at]!, links))}</div><div class="now">${healthWords(cells)}</div></div>
`,
  )}</div></section>`;
}

function square(cell: NightCell | undefined, night: Night, links: NightLinks): Markup {
  if (!cell) return html`<span class="no" title="${when(night)}: not run"></span>`;
  const words = `${when(night)}: ${cell.verdict}${cell.excused ? ', in quarantine' : ''} in ${formatTime(cell.durationMs)}${cell.reason === undefined ? '' : `: ${cell.reason}`}`;
  const href = reportHref(night, links) ?? runHref(night);
  const mark = sign(cell.verdict);
  return href === undefined
    ? html`<span title="${words}">${mark}</span>`
    : html`<a href="${href}" title="${words}">${mark}</a>`;
}

/** `28 of 30 passed, 1 flaky, 1 failed`. */
function healthWords(cells: readonly (NightCell | undefined)[]): string {
  const ran = cells.filter((cell) => cell !== undefined);
  const excused = ran.filter((cell) => cell.excused).length;
  const counts = Map.groupBy(ran, ({ verdict }) => verdict);
  const others = verdictNames.filter((verdict) => verdict !== 'passed');
  const rest = others.flatMap((verdict) => (counts.has(verdict) ? [`${counts.get(verdict)!.length} ${verdict}`] : []));
  const quarantined = excused > 0 ? [`${excused} in quarantine`] : [];
  return [`${counts.get('passed')?.length ?? 0} of ${ran.length} passed`, ...rest, ...quarantined].join(', ');
}

/** Time per step of each cell, night by night, stacked. */
export function durationsSection(all: readonly Night[]): Markup {
  const nights = all.slice(-SHOWN);
  const lines = linesOf(nights).filter(({ cells }) => cells.some((cell) => cell && total(cell) > 0));
  if (lines.length === 0)
    return html`<section id="durations"><h2>Durations</h2><p class="muted">No cell was started.</p></section>`;
  return html`<section id="durations"><h2>Durations</h2><p class="muted">The last ${nights.length} nights, step upon step; each cell on an axis of its own, from 0.</p>
<ul class="legend">${STEPS.map((step) => html`<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="2" class="s-${step}"/></svg> ${step}</li>`)}</ul>
<div class="board">${lines.map(
    ({
      name,
      cells,
      last,
    }) => html`<div class="entry"><div class="of"><b>${name}</b> <small>${about(last)}</small></div><div class="plot">${bars(cells)}<div class="ends"><span>${formatTime(longest(cells))}</span><span>0</span></div></div><div class="now"><b>${formatTime(total(last))}</b> <small>${stepWords(last)}</small></div></div>
`,
  )}</div></section>`;
}

function total({ steps }: NightCell): number {
  return steps.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function longest(cells: readonly (NightCell | undefined)[]): number {
  return Math.max(...cells.map((cell) => (cell ? total(cell) : 0)));
}

/** One path per step: thirty nights of seven steps would be many elements. */
function bars(cells: readonly (NightCell | undefined)[]): Markup {
  const most = longest(cells);
  const paths = new Map<StepName, string>();
  for (const [night, cell] of cells.entries()) {
    let below = 0;
    for (const { step, durationMs } of cell?.steps ?? []) {
      const [from, to] = [below, below + durationMs].map((ms) => Math.round(1000 * (1 - ms / most)));
      below += durationMs;
      if (from! > to!) paths.set(step, `${paths.get(step) ?? ''}M${night * 10} ${from}V${to}h8V${from}z`);
    }
  }
  return html`<svg class="trend" viewBox="0 0 ${cells.length * 10 - 2} 1000" preserveAspectRatio="none" role="img" aria-label="${cells.length} nights, up to ${formatTime(most)}">${[
    ...paths,
  ].map(([step, path]) => html`<path class="s-${step}" d="${path}"/>`)}</svg>`;
}

function stepWords({ steps }: NightCell): string {
  const long = steps.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, 2);
  return long.map(({ step, durationMs }) => `${step} ${formatTime(durationMs)}`).join(', ');
}

/** A cell that was never started has no accelerator, but its own reason. */
function about(cell: NightCell): string {
  return [...(cell.accelerator ? [acceleratorOf(cell)] : []), ...(cell.voting ? [] : ['non-voting'])].join(', ');
}
