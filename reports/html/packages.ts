import { comparePackages, type PackageComparison, type PackageRow } from '../../harness/events/packages.ts';
import type { RunResult } from '../../harness/events/result.ts';
import { packagesSentence } from '../words.ts';
import { html, type Markup } from './markup.ts';

/** The versions of packages that suites name, and of those that differ between architectures, per Debian release. */
export function packagesSection(run: RunResult): Markup | undefined {
  const releases = comparePackages(run.cells);
  if (releases.length === 0) return undefined;
  return html`<section id="packages" aria-labelledby="packages-title"><h2 id="packages-title">Packages</h2>
${releases.map(
  (release) => html`<p class="${isWorthANote(release) ? 'note' : 'muted'}">${packagesSentence(release)}</p>
${release.rows.length > 0 && tableOf(release)}`,
)}</section>`;
}

function isWorthANote({ rows, missing }: PackageComparison): boolean {
  return rows.some(({ differs }) => differs) || Object.keys(missing).length > 0;
}

function tableOf({ archs, rows }: PackageComparison): Markup {
  return html`<table class="plain"><thead><tr><th scope="col">Package</th>${archs.map((arch) => html`<th scope="col">${arch}</th>`)}</tr></thead>
<tbody>${rows.map((row) => rowOf(row, archs))}</tbody></table>
`;
}

function rowOf({ name, versions, differs }: PackageRow, archs: readonly string[]): Markup {
  return html`<tr><th scope="row">${name}${differs && html` <small class="tag">differs</small>`}</th>${archs.map((arch) => html`<td>${versions[arch] ?? '–'}</td>`)}</tr>
`;
}
