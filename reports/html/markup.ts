import { visible } from '../text.ts';

/** Markup that may stand in the page as it is. Only {@link html} and {@link raw} make it. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | undefined | false | readonly Part[];

/**
 * Markup from a template: every inserted string becomes text, between tags as well as in quoted attributes. There is no
 * other way to build the page, so no guest output can become markup.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, index) => text + render(parts[index])).join(''));
}

/** Only for our own constants. */
export function raw(text: string): Markup {
  return new Markup(text);
}

/** The most common case: nothing to escape. A page has 100,000 such pieces. */
const PLAIN = /^[ -!#-%(-;=?-~\u00a0-\u00ff]*$/;

export function escapeHtml(text: string): string {
  if (PLAIN.test(text)) return text;
  return visible(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return part.map(render).join('');
}
