import { html, type Markup } from './markup.ts';

/** Lines shown without a click; longer text is folded. */
const SHOWN_AT_FIRST = 40;

/** A block of text with a title. It can be focused by keyboard, because it may be wider than the page. */
export function foldedLines(
  title: string,
  text: string,
  { open = false, kind }: { readonly open?: boolean; readonly kind?: 'console' } = {},
): Markup {
  const shown = open && text.split('\n').length <= SHOWN_AT_FIRST;
  return html`<details${shown && html` open=""`}><summary>${title}</summary>${block(title, text, kind)}</details>`;
}

/** Lines of markup: shown openly if they are few. */
export function lines(title: string, parts: readonly Markup[]): Markup {
  const body = block(title, parts, 'diff');
  if (parts.length <= SHOWN_AT_FIRST) return body;
  return html`<details><summary>${title}, ${parts.length} lines</summary>${body}</details>`;
}

function block(title: string, content: string | readonly Markup[], kind?: string): Markup {
  return html`<pre tabindex="0" role="group" aria-label="${title}"${kind && html` class="${kind}"`}>${content}</pre>`;
}
