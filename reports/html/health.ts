import { type Job, jobsOf } from '../../harness/events/health.ts';
import type { RunResult } from '../../harness/events/result.ts';
import { formatTime } from '../words.ts';
import { html, type Markup } from './markup.ts';
import { verdictMark } from './verdict.ts';

/** The cells as a CI's dashboard lists its jobs. */
export function healthSection(run: RunResult): Markup | undefined {
  if (run.cells.length === 0) return undefined;
  const columns = ['Job', 'Project', 'Branch', 'Pipeline', 'Change', 'Duration', 'Start', 'Result'];
  return html`<section id="health"><h2>Jobs</h2>
<table class="plain"><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${jobsOf(run).map(row)}</tbody></table></section>`;
}

function row({ job, voting, project, branch, pipeline, change, durationMs, startedAt, result }: Job): Markup {
  const start = startedAt && html`<time datetime="${startedAt}">${startedAt.slice(0, 16).replace('T', ' ')}</time>`;
  return html`<tr><th scope="row">${job}${!voting && html` <small class="tag">non-voting</small>`}</th>${[project, branch, pipeline, change].map((value) => html`<td>${value ?? '–'}</td>`)}<td>${startedAt ? formatTime(durationMs) : '–'}</td><td>${start ?? '–'}</td><td>${verdictMark(result)}</td></tr>
`;
}
