import type { Night } from '../harness/nights/night.ts';
import type { Trends } from '../harness/nights/trends.ts';
import { html, type Markup } from './html/markup.ts';
import { renderPage } from './html/page.ts';
import { style as runStyle } from './html/style.ts';
import { sign, signOfState } from './html/verdict.ts';
import { benchmarksSection } from './nightly/benchmarks.ts';
import { boardSection, durationsSection } from './nightly/board.ts';
import { changesSection } from './nightly/changes.ts';
import { machinesSection } from './nightly/machines.ts';
import { newsSection } from './nightly/news.ts';
import { style } from './nightly/style.ts';
import { commitOf, when } from './nightly/words.ts';
import { formatTime, stateWords } from './words.ts';

export interface NightlyPage {
  /** The oldest first; at least one. */
  readonly nights: readonly Night[];
  readonly trends: Trends;
  /** Subjects of commits by range, `FROM..TO` of ten digits each; empty where git does not know them. */
  readonly log: ReadonlyMap<string, readonly string[]>;
}

/**
 * The nights of a matrix as one page that needs no network and no script, with the policy of a run's page: what a guest
 * printed can do nothing. Courses are drawn here, as paths of whole numbers, so that 180 of 400 nights stay below 5 MB.
 */
export function renderNightly({ nights, trends, log }: NightlyPage): string {
  const last = nights.at(-1)!;
  return renderPage({
    title: `${stateWords[last.state]}: ${last.matrix}, ${nights.length} nights`,
    styles: [runStyle, style],
    body: html`<main>
${header(nights, trends)}
${newsSection(nights, trends)}
${boardSection(nights)}
${changesSection(trends, nights, log)}
${benchmarksSection(trends, nights)}
${machinesSection(trends, nights.length)}
${durationsSection(nights)}
</main>`,
  });
}

function header(nights: readonly Night[], { groups, trends, machines }: Trends): Markup {
  const [first, last] = [nights[0]!, nights.at(-1)!];
  const passed = nights.filter(({ state }) => state === 'passed').length;
  const numbers: readonly (readonly [string, number])[] = [
    ['nights', nights.length],
    ['passed', passed],
    ['cells last night', last.cells.length],
    ['courses', trends.length],
    ['changes', groups.length],
  ];
  const hasMachines = machines.some(({ factors }) => factors.some((factor) => factor !== undefined));
  return html`<header>
<p class="eyebrow">${last.matrix} <span>${first.startedAt.slice(0, 10)} to ${last.startedAt.slice(0, 10)}</span></p>
<h1 class="v-${signOfState(last.state)}">${sign(signOfState(last.state))} ${stateWords[last.state]}</h1>
<p class="lead">Last night: run ${last.run}, <time datetime="${last.startedAt}">${when(last)} UTC</time>, commit <code>${commitOf(last)}</code>, ${last.tests} tests in ${formatTime(last.durationMs)}.</p>
<dl class="counts">${numbers.map(([word, count]) => html`<div class="plain"><dt>${word}</dt><dd>${count}</dd></div>`)}</dl>
<nav><a href="#news">New</a><a href="#cells">Cells</a><a href="#changes">Changes${groups.length > 0 && html` <b>${groups.length}</b>`}</a><a href="#benchmarks">Benchmarks</a>${hasMachines && html`<a href="#machines">Machines</a>`}<a href="#durations">Durations</a></nav>
</header>`;
}
