import type { EarlierRun, Since } from '../since.ts';
import { html, type Markup } from './markup.ts';

/** Since when something fails, with a link to the page of that run. */
export function sinceSentence(since: Since): Markup {
  switch (since.state) {
    case 'new':
      return html`<b class="new">New</b>: it passed in ${runLink(since.passed)}.`;
    case 'old': {
      const times =
        since.runs === 1 ? 'It failed in the run before, too' : `It failed in the ${since.runs} runs before, too`;
      return html`${times}, since ${runLink(since.first)}${since.passed ? html`; it passed in ${runLink(since.passed)}` : ' and maybe longer'}.`;
    }
    case 'unknown':
      return html`No earlier run of this matrix has a result for it.`;
  }
}

function runLink({ run, startedAt, commit }: EarlierRun): Markup {
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return html`<a href="../${encodeURIComponent(run.toWellFormed())}/index.html">run ${run}</a> (${when}${commit !== undefined && html`, <code>${commit.slice(0, 10)}</code>`})`;
}
