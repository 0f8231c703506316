import { basename } from 'node:path/posix';
import type { CellResult } from '../../harness/events/result.ts';
import { html, type Markup } from './markup.ts';

/** The most informative files first; the others by name. */
const FIRST = ['console.log', 'journal.txt', 'failed-units.txt', 'dmesg.txt'];

/** Links to a cell's kept files, which are beside the page. */
export function evidenceLinks({ artifacts }: Pick<CellResult, 'artifacts'>): Markup | undefined {
  if (artifacts.length === 0) return undefined;
  const rank = (file: string) => {
    const place = FIRST.indexOf(basename(file));
    return place < 0 ? FIRST.length : place;
  };
  const sorted = artifacts.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return html`<ul class="files">${sorted.map((file) => html`<li>${fileLink(file, nameOf(file))}</li>`)}</ul>`;
}

/** A link to a file of the run's folder. The dot keeps a file's name from being read as another scheme. */
export function fileLink(file: string, name: string): Markup {
  return html`<a href="./${file
    .split('/')
    .map((name) => encodeURIComponent(name.toWellFormed()))
    .join('/')}">${name}</a>`;
}

/** A file's path in the folder of its cell: `console.log`, `artifacts/out/report.txt`. */
function nameOf(file: string): string {
  return file.replace(/^cells\/[^/]+\/[^/]+\/[^/]+\//, '');
}
