import type { Night } from '../harness/nights/night.ts';
import type { Trends } from '../harness/nights/trends.ts';
import type { Triage } from '../harness/nights/triage.ts';
import { html, type Markup } from './html/markup.ts';
import { fileOf, renderPage } from './html/page.ts';
import { style as runStyle } from './html/style.ts';
import { sign, signOfState } from './html/verdict.ts';
import { benchmarksSection } from './nightly/benchmarks.ts';
import { boardSection, durationsSection } from './nightly/board.ts';
import { changesSection } from './nightly/changes.ts';
import { jobsSection } from './nightly/jobs.ts';
import { commitMark, linked, type NightLinks, reportHref, runHref } from './nightly/links.ts';
import { machinesSection } from './nightly/machines.ts';
import { newsSection } from './nightly/news.ts';
import { quarantineSection } from './nightly/quarantine.ts';
import { style } from './nightly/style.ts';
import { testsSection } from './nightly/test-health.ts';
import { when } from './nightly/words.ts';
import { formatTime, stateWords } from './words.ts';

export interface NightlyPage {
  /** The oldest first; at least one. */
  readonly nights: readonly Night[];
  readonly trends: Trends;
  /** Subjects of commits by range, `FROM..TO` of ten digits each; empty if git does not know them. */
  readonly log: ReadonlyMap<string, readonly string[]>;
  /** People's judgements of findings on earlier pages. */
  readonly triage?: readonly Triage[];
  readonly links?: NightLinks;
  /** Other matrices of the history, each with its page beside this one. */
  readonly others?: readonly { readonly matrix: string; readonly href: string }[];
}

const script = fileOf('nightly/nightly.browser.js', import.meta.url);

const NO_LINKS: NightLinks = { reports: new Set() };

/**
 * The nights of a matrix as one page that needs no network, with the policy of a run's page: guest output can do
 * nothing. Everything is readable without its script, which shows values, sorts, filters and zooms. Trends are drawn
 * here, as paths of whole numbers, so that 180 of 400 nights stay below 5 MB.
 */
export function renderNightly({
  nights,
  trends,
  log,
  triage = [],
  links = NO_LINKS,
  others = [],
}: NightlyPage): string {
  const last = nights.at(-1)!;
  const quarantine = quarantineSection(nights);
  return renderPage({
    title: `${stateWords[last.state]}: ${last.matrix}, ${nights.length} nights`,
    styles: [runStyle, style],
    script,
    body: html`<main>
${header(nights, trends, links, others, quarantine !== undefined)}
${newsSection(nights, trends, triage)}
${boardSection(nights, links)}
${testsSection(nights, triage, links)}${quarantine}
${changesSection(trends, nights, { log, triage, links })}
${benchmarksSection(trends, nights, links)}
${machinesSection(trends, nights.length)}
${durationsSection(nights)}
${jobsSection(nights, links)}
</main>`,
  });
}

function header(
  nights: readonly Night[],
  { groups, trends, machines }: Trends,
  links: NightLinks,
  others: NonNullable<NightlyPage['others']>,
  hasQuarantine: boolean,
): Markup {
  const [first, last] = [nights[0]!, nights.at(-1)!];
  const passed = nights.filter(({ state }) => state === 'passed').length;
  const numbers: readonly (readonly [string, number])[] = [
    ['nights', nights.length],
    ['passed', passed],
    ['cells last night', last.cells.length],
    ['trends', trends.length],
    ['changes', groups.length],
  ];
  const hasMachines = machines.some(({ factors }) => factors.some((factor) => factor !== undefined));
  return html`<header>
<p class="eyebrow">${last.matrix} <span>${first.startedAt.slice(0, 10)} to ${last.startedAt.slice(0, 10)}</span></p>
<h1 class="v-${signOfState(last.state)}">${sign(signOfState(last.state))} ${stateWords[last.state]}</h1>
<p class="lead">Last night: run ${linked(last.run, reportHref(last, links) ?? runHref(last))}, <time datetime="${last.startedAt}">${when(last)} UTC</time>, commit ${commitMark(last, links)}, ${last.tests} tests in ${formatTime(last.durationMs)}.</p>
<dl class="counts">${numbers.map(([word, count]) => html`<div class="plain"><dt>${word}</dt><dd>${count}</dd></div>`)}</dl>
<nav><a href="#news">New</a><a href="#cells">Cells</a><a href="#tests">Tests</a>${hasQuarantine && html`<a href="#quarantine">Quarantine</a>`}<a href="#changes">Changes${groups.length > 0 && html` <b>${groups.length}</b>`}</a><a href="#benchmarks">Benchmarks</a>${hasMachines && html`<a href="#machines">Machines</a>`}<a href="#durations">Durations</a>${last.cells.length > 0 && html`<a href="#jobs">Runs</a>`}${others.map(({ matrix, href }) => html`<a class="other" href="${href}">${matrix}</a>`)}</nav>
</header>`;
}
