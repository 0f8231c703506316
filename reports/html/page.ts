import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { html, type Markup, raw } from './markup.ts';
import { verdictSymbols } from './verdict.ts';

/** The parts of a page. */
export interface Page {
  readonly title: string;
  /** Style sheets, in their order. */
  readonly styles: readonly string[];
  /** The only script that the page may run: a file of ours, see {@link fileOf}. */
  readonly script?: string;
  readonly body: Markup;
}

/**
 * A file of ours beside a module, for a page that is one file. `</` would end the element that it is put into.
 * @throws Error when it holds `</`.
 */
export function fileOf(name: string, from: string): string {
  const text = readFileSync(new URL(name, from), 'utf8').trim();
  if (text.includes('</')) throw new Error(`cannot put ${name} into a page: it holds "</"`);
  return text;
}

/**
 * A page that needs no network. Its policy admits its style and script by their hashes and nothing else, so that even a
 * mistake in escaping could not run guest output.
 */
export function renderPage({ title, styles, script, body }: Page): string {
  const style = styles.join('\n');
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
${verdictSymbols()}
${body}
${script !== undefined && html`<script>${raw(script)}</script>`}
</body>
</html>
`.text;
}

/** A source of a content security policy that admits exactly this text. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
