import { type Job, jobsOf } from '../../harness/events/health.ts';
import type { RunResult } from '../../harness/events/result.ts';
import { formatTime } from '../words.ts';
import { cellId } from './ids.ts';
import { html, type Markup } from './markup.ts';
import { verdictMark } from './verdict.ts';

/** More are folded. */
const SHOWN_AT_FIRST = 24;

/** The cells in the form of jobs in a CI's dashboard. */
export function healthSection(run: RunResult): Markup | undefined {
  if (run.cells.length === 0) return undefined;
  const columns = ['Job', 'Project', 'Branch', 'Pipeline', 'Change', 'Duration', 'Start', 'Result'];
  const table = html`<div class="wide" tabindex="0" role="group" aria-labelledby="health-title"><table class="plain jobs"><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${jobsOf(run).map(row)}</tbody></table></div>`;
  return html`<section id="health" aria-labelledby="health-title"><h2 id="health-title">Jobs</h2>
${run.cells.length <= SHOWN_AT_FIRST ? table : html`<details><summary>${run.cells.length} jobs</summary>${table}</details>`}</section>`;
}

function row({ job, voting, project, branch, pipeline, change, durationMs, startedAt, result }: Job): Markup {
  const start = startedAt && html`<time datetime="${startedAt}">${startedAt.slice(0, 16).replace('T', ' ')}</time>`;
  return html`<tr><th scope="row"><a href="#${cellId(job)}">${job}</a>${!voting && html` <small class="tag">non-voting</small>`}</th>${[project, branch, pipeline, change].map((value) => html`<td>${value ?? '–'}</td>`)}<td>${startedAt ? formatTime(durationMs) : '–'}</td><td>${start ?? '–'}</td><td>${verdictMark(result)}</td></tr>
`;
}
