import { parseCellName } from '../../harness/base/cell-name.ts';
import type { BenchClock } from '../../harness/events/types.ts';
import { isEmulated } from '../../harness/events/types.ts';
import type { Night } from '../../harness/nights/night.ts';
import type { Trend, Trends } from '../../harness/nights/trends.ts';
import { html, type Markup } from '../html/markup.ts';
import { acceleratorOf, stackWords } from '../words.ts';
import { axisOf, chart } from './chart.ts';
import { type NightLinks, reportHref, runHref } from './links.ts';
import { changeAnchor, commitOf, commitRange, figure, machineOf, measured, percent, when } from './words.ts';

const clockWords: Readonly<Record<BenchClock, string>> = {
  controller: "time, by the controller's clock",
  guest: "time, by the guest's clock",
  instructions: 'instructions counted',
};

/** Each benchmark's trend on each architecture, every one on an axis of its own. */
export function benchmarksSection({ trends, groups }: Trends, nights: readonly Night[], links: NightLinks): Markup {
  if (trends.length === 0)
    return html`<section id="benchmarks"><h2>Benchmarks</h2><p class="muted">No benchmark was measured in these nights.</p></section>`;
  const linkOf = (first: number, trend: Trend) => {
    const index = groups.findIndex(({ members }) =>
      members.some((one) => one.trend === trend && one.change.first === first),
    );
    if (index < 0) return undefined;
    const member = groups[index]!.members.find((one) => one.trend === trend && one.change.first === first)!;
    const range = commitRange(groups[index]!, nights);
    return {
      href: changeAnchor(index),
      title: `${percent(member.change.ratio)}${measured(member.change)}${range ? `, ${range}` : ''}`,
    };
  };
  const suites = Map.groupBy(trends, ({ series }) => stackWords({ ...series, ...releaseIn(series.cell) }));
  // The script's text and link for a night under the pointer.
  const known = nights.map((night) => [when(night), commitOf(night), reportHref(night, links) ?? runHref(night) ?? '']);
  return html`<section id="benchmarks" data-nights="${JSON.stringify(known)}"><h2>Benchmarks</h2>
<p class="muted">Each trend has an axis of its own, which does not begin at 0. The line is the median of a night and the band its 95 % interval, without what all benchmarks of the cell have in common that night; faint dots are the medians as measured. Thick lines are levels, and a vertical line is a change.</p>
<form class="tools" hidden><label><input type="checkbox" name="moved"> Only what moved</label><label>Nights <select name="range"><option value="0">all ${nights.length}</option><option value="90">90</option><option value="30">30</option></select></label></form>
${emulationNote(trends)}${[...suites].map(
  ([title, members]) =>
    html`<h3>${title}</h3>${[
      ...Map.groupBy(members, ({ series }) => JSON.stringify([series.file, series.name, series.clock])).values(),
    ].map((group) => benchmark(group, nights, linkOf))}`,
)}</section>`;
}

/** The release that is in the name of a cell. */
function releaseIn(cell: string): { readonly release?: string } {
  const release = parseCellName(cell)?.release;
  return release === undefined ? {} : { release };
}

type LinkOf = (first: number, trend: Trend) => { readonly href: string; readonly title: string } | undefined;

function benchmark(group: readonly Trend[], nights: readonly Night[], linkOf: LinkOf): Markup {
  const { name, clock } = group[0]!.series;
  const current = group.filter(({ series }) => isCurrent(series, nights.length));
  const former = group.filter((trend) => !current.includes(trend));
  return html`<article class="bench"><h4>${name} <small>${clockWords[clock]}</small></h4>
${current.map((trend) => row(trend, nights, linkOf))}${
  former.length > 0 &&
  html`<details><summary class="muted">${former.length} on other machines, or not measured any more</summary>${former.map((trend) => row(trend, nights, linkOf))}</details>`
}</article>
`;
}

/** Whether a trend is current: it has a figure, or should have one, in the last thirty nights. */
function isCurrent({ points, gaps }: Trend['series'], nights: number): boolean {
  return Math.max(points.at(-1)!.night, gaps.at(-1)?.night ?? -1) >= nights - 30;
}

function row(trend: Trend, nights: readonly Night[], linkOf: LinkOf): Markup {
  const { series, changes, suspect } = trend;
  const axis = axisOf(trend);
  const last = series.points.at(-1)!;
  const change = changes.at(-1);
  const gap = series.gaps.at(-1);
  const count = nights.length;
  const day = (night: number) => nights[night]!.startedAt.slice(0, 10);
  return html`<div class="row${(change ?? suspect) ? ' moved' : ''}"><div class="of"><b>${series.arch}</b> <small title="${machineOf(series)}">${acceleratorOf(series)}</small></div><div class="plot">${chart(trend, count, axis, (first) => linkOf(first, trend))}<div class="ends"><span>${figure(axis.high, series.clock)}</span><span>${figure(axis.low, series.clock)}</span></div><div class="dates" aria-hidden="true"><span>${day(0)}</span>${count > 2 && html`<span>${day(Math.floor((count - 1) / 2))}</span>`}${count > 1 && html`<span>${day(count - 1)}</span>`}</div></div><div class="now"><b>${figure(last.median, series.clock)}</b>${
    change &&
    html` <span class="${change.ratio > 1 ? 'up' : 'down'}">${percent(change.ratio)}</span>${measured(change) !== '' && html`<small>${measured(change)}</small>`}`
  }${suspect && html` <small class="tag">${percent(suspect.ratio)}, ${suspect.nights} ${suspect.nights === 1 ? 'night' : 'nights'}</small>`}${
    gap &&
    html`<div class="remark">${gap.night === count - 1 ? 'last night' : series.gaps.length === 1 ? 'one night' : `${series.gaps.length} nights`} without a figure: ${gap.reason}</div>`
  }</div></div>
`;
}

/** A note, once, if anything was measured under emulation. */
function emulationNote(trends: readonly Trend[]): Markup | undefined {
  const emulated = trends.some(({ series }) => series.accelerator !== undefined && isEmulated(series.accelerator));
  return emulated
    ? html`<p class="note">Times under emulation compare an emulator with itself from night to night; they say nothing about processors, and no two architectures are compared here.</p>`
    : undefined;
}
