import type { Night } from '../../harness/nights/night.ts';
import { html } from '../html/markup.ts';
import { renderPage } from '../html/page.ts';
import { style as runStyle } from '../html/style.ts';
import { verdictMark } from '../html/verdict.ts';
import { formatTime, stateWords } from '../words.ts';
import { style } from './style.ts';
import { commitOf, when } from './words.ts';

/** An entry of the index: a matrix of a history. */
export interface IndexEntry {
  readonly matrix: string;
  /** The oldest first; at least one. */
  readonly nights: readonly Night[];
  readonly changes: number;
  /** Regressions of the last night. */
  readonly regressions: number;
  readonly page: string;
  readonly feed: string;
}

/** The matrices of a history, each with the result of its last night. */
export function renderIndex(entries: readonly IndexEntry[]): string {
  const columns = [
    'Matrix',
    'Last night',
    'Result',
    'Commit',
    'Duration',
    'Nights',
    'Changes',
    'New regressions',
    'Feed',
  ];
  const rows = entries.map(({ matrix, nights, changes, regressions, page, feed }) => {
    const last = nights.at(-1)!;
    const result = last.state === 'interrupted' ? 'incomplete' : last.state;
    return html`<tr><th scope="row"><a href="${page}">${matrix}</a></th><td>${when(last)}</td><td>${verdictMark(result)} <small>${stateWords[last.state]}</small></td><td><code>${commitOf(last)}</code></td><td class="figure">${formatTime(last.durationMs)}</td><td class="figure">${nights.length}</td><td class="figure">${changes}</td><td class="figure">${regressions}</td><td><a href="${feed}">Atom</a></td></tr>
`;
  });
  return renderPage({
    title: `${entries.length} ${entries.length === 1 ? 'matrix' : 'matrices'}`,
    styles: [runStyle, style],
    body: html`<main><header><h1>Nights</h1></header>
<div class="scroll" tabindex="0" role="region" aria-label="Matrices"><table class="plain"><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></main>`,
  });
}
