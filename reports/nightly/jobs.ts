import { jobsOf } from '../../harness/events/health.ts';
import type { Night } from '../../harness/nights/night.ts';
import { html, type Markup } from '../html/markup.ts';
import { verdictMark } from '../html/verdict.ts';
import { formatTime } from '../words.ts';
import { linked, type NightLinks, reportHref, runHref } from './links.ts';
import { sortable } from './table.ts';

/** The most rows; older ones are in their own night's report. */
const MOST = 300;

/** The cells of the newest nights in the form of a CI's jobs, the newest first. */
export function jobsSection(nights: readonly Night[], links: NightLinks): Markup | undefined {
  const jobs = nights
    .toReversed()
    .flatMap((night) => jobsOf(night).map((job) => ({ night, job })))
    .slice(0, MOST);
  if (jobs.length === 0) return undefined;
  const columns = ['Job', 'Project', 'Branch', 'Pipeline', 'Change', 'Duration', 'Start', 'Result'];
  const rows = jobs.map(({ night, job }) => {
    const { project, branch, pipeline, change, durationMs, startedAt } = job;
    const start = startedAt?.slice(0, 16).replace('T', ' ') ?? '–';
    return html`<tr><th scope="row">${linked(job.job, reportHref(night, links))}${!job.voting && html` <small class="tag">non-voting</small>`}</th><td>${project ?? '–'}</td><td>${branch ?? '–'}</td><td>${pipeline === undefined ? '–' : linked(pipeline, runHref(night))}</td><td>${change ?? '–'}</td><td class="figure" data-value="${durationMs}">${startedAt ? formatTime(durationMs) : '–'}</td><td data-value="${startedAt ?? ''}">${linked(start, runHref(night))}</td><td>${verdictMark(job.result)}</td></tr>
`;
  });
  return html`<section id="jobs"><h2>Runs</h2><p class="muted">The cells of the newest nights, the newest first.</p>
${sortable('jobs-table', columns, rows)}</section>`;
}
