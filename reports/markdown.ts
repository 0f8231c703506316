import { uncommanded, visible } from './text.ts';

/**
 * Escapes untrusted text as one line of Markdown: no HTML, emphasis, links, mentions or tables, and never something at
 * the start of a line that a runner takes for a workflow command.
 */
export function inline(text: string): string {
  return visible(text)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~$]/g, '\\$&')
    .replace(/::/g, ':&#58;')
    .replace(/@(?=\w)/g, '&#64;')
    .replace(/:\/\//g, '&#58;//');
}

/** Untrusted text as code within a line. */
export function code(text: string): string {
  const line = visible(text).replace(/\s+/g, ' ').trim();
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const padded = /^`|`$/.test(line) ? ` ${line} ` : line;
  // A pipe ends a table's cell even inside code.
  return line === '' ? '' : `${fence}${uncommanded(padded.replace(/\|/g, '\\|'))}${fence}`;
}

/** Untrusted text as a code block, behind a fence longer than any in it. */
export function block(text: string, language = ''): string {
  // The zero-width space keeps `::` at the start of a line from being a command, should the block be printed.
  const body = visible(text)
    .replace(/^(\s*)::/gm, '$1:\u200b:')
    .replace(/^(\s*)##\[/gm, '$1#\u200b#[');
  const longest = Math.max(2, ...(body.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${body}\n${fence}`;
}

/** A table; its cells are Markdown. `right` names the columns with figures. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const rule = head.map((_cell, column) => (right.includes(column) ? '---:' : '---'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
