import { html, type Markup } from './markup.ts';

/** A link to a part of the page itself; a click also copies its address where the page's script runs. */
export function permalink(id: string, name: string): Markup {
  return html`<a class="permalink" href="#${id}" aria-label="Link to ${name}">#</a>`;
}
