import type { Triage } from '../../harness/nights/triage.ts';
import { html, type Markup } from '../html/markup.ts';

/**
 * A table that the page's script can sort by column: by a cell's `data-value`, else its text. A table wider than the
 * page scrolls by itself.
 */
export function sortable(id: string, columns: readonly string[], rows: readonly Markup[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}-title"><table class="plain sortable" id="${id}"><caption id="${id}-title">${columns.join(', ')}</caption><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** The triage of a finding. */
export function triageTag(said: Triage | undefined): Markup | undefined {
  return said && html` <small class="tag triage">${said.state}${said.note !== undefined && `: ${said.note}`}</small>`;
}
