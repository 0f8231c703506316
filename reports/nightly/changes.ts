import type { Night } from '../../harness/nights/night.ts';
import type { ChangeGroup, Trends } from '../../harness/nights/trends.ts';
import { FALSE_ALARM, MIN_EFFECT } from '../../harness/nights/trends.ts';
import { type Triage, triageOfChange } from '../../harness/nights/triage.ts';
import { html, type Markup } from '../html/markup.ts';
import { acceleratorOf } from '../words.ts';
import { type NightLinks, nightMark } from './links.ts';
import { sortable, triageTag } from './table.ts';
import { changeAnchor, commitRange, direction, figure, measured, percent, when } from './words.ts';

/** The most commits and benchmarks that are shown of a change. */
const MOST = 12;

/** Changes before these are folded away; a link to one opens them. */
const UNFOLDED = 6;

/** `application over 4 connections worse by 17.5 % on amd64, and 5 more`. */
export function headline({ members }: ChangeGroup): string {
  const [{ trend, change }] = members as [ChangeGroup['members'][number]];
  const others = members.length - 1;
  return `${trend.series.name} ${direction(change)} by ${percent(change.ratio).slice(1)} on ${trend.series.arch}${others > 0 ? `, and ${others} more` : ''}`;
}

/** Information about changes besides the figures. */
export interface ChangeFacts {
  /** Subjects of commits, the newest first, by range as {@link commitRange} writes it; where they are known. */
  readonly log: ReadonlyMap<string, readonly string[]>;
  readonly triage: readonly Triage[];
  readonly links: NightLinks;
}

/** Rows of the table of all changes. */
const MOST_ROWS = 500;

/** Every change, the newest first, with the commits of its range; and a table of all of them. */
export function changesSection({ groups, trends }: Trends, nights: readonly Night[], facts: ChangeFacts): Markup {
  const rule = `Sure enough that a page of ${trends.length} trends has a false alarm once in ${Math.round(1 / FALSE_ALARM)} nights' pages, if nights were independent; at least ${100 * MIN_EFFECT.time} % of time, ${100 * MIN_EFFECT.instructions} % of instructions.`;
  const cards = groups.map((group, index) => card(group, index, nights, facts));
  return html`<section id="changes"><h2>Changes</h2><p class="muted">${rule}</p>
${groups.length === 0 && html`<p>No benchmark changed in these ${nights.length} nights.</p>`}${cards.slice(0, UNFOLDED)}${
  cards.length > UNFOLDED &&
  html`<details><summary>${cards.length - UNFOLDED} older changes</summary>${cards.slice(UNFOLDED)}</details>`
}${groups.length > 0 && table(groups, nights, facts)}</section>`;
}

function card(
  group: ChangeGroup,
  index: number,
  nights: readonly Night[],
  { log, triage, links }: ChangeFacts,
): Markup {
  const [before, first] = [nights[group.lastBefore]!, nights[group.first]!];
  const range = commitRange(group, nights);
  const subjects = range === undefined ? [] : (log.get(range) ?? []);
  const worse = group.members.some(({ change }) => change.ratio > 1);
  return html`<article class="change-card ${worse ? 'up' : 'down'}" id="${changeAnchor(index)}">
<h3>${headline(group)}${group.isNew && html` <small class="tag">new</small>`}${triageTag(triageOfChange(triage, group, nights))}</h3>
<p class="where">between ${nightMark(before, links)} and ${nightMark(first, links)}</p>
${range === undefined ? undefined : html`<p class="git"><code>git log ${range}</code></p>`}
${subjects.length > 0 && html`<ul class="commits">${subjects.slice(0, MOST).map((subject) => html`<li>${subject}</li>`)}${subjects.length > MOST && html`<li class="muted">and ${subjects.length - MOST} more</li>`}</ul>`}
<table class="members"><tbody>${group.members.slice(0, MOST).map((member) => row(member, group, nights))}</tbody></table>
${group.members.length > MOST && html`<p class="muted">and ${group.members.length - MOST} more trends</p>`}
</article>
`;
}

function table(groups: readonly ChangeGroup[], nights: readonly Night[], { triage }: ChangeFacts): Markup {
  const all = groups.flatMap((group, index) => group.members.map((member) => ({ ...member, group, index })));
  const rows = all.slice(0, MOST_ROWS).map(({ trend: { series }, change, group, index }) => {
    const first = nights[change.first]!.startedAt;
    const said = triageOfChange(triage, group, nights);
    return html`<tr><th scope="row"><a href="#${changeAnchor(index)}">${series.name}</a> <small>${series.cell}</small></th><td data-value="${first}">${first.slice(0, 10)}</td><td class="figure ${change.ratio > 1 ? 'up' : 'down'}" data-value="${change.ratio}">${percent(change.ratio)}</td><td class="figure" data-value="${change.before}">${figure(change.before, series.clock)}</td><td class="figure" data-value="${change.after}">${figure(change.after, series.clock)}</td><td>${said?.state ?? (change.ratio > 1 ? 'regression' : 'improvement')}</td></tr>
`;
  });
  const columns = ['Benchmark', 'Since', 'Change', 'Before', 'After', 'State'];
  return html`<details><summary>All ${all.length} changes of single benchmarks, as a table</summary>${sortable('changes-table', columns, rows)}</details>`;
}

function row(
  { trend: { series }, change }: ChangeGroup['members'][number],
  group: ChangeGroup,
  nights: readonly Night[],
): Markup {
  const elsewhere = change.first === group.first ? undefined : `seen from ${when(nights[change.first]!)} on`;
  return html`<tr><th scope="row">${series.name} <small>${series.cell}, ${acceleratorOf(series)}${elsewhere !== undefined && `, ${elsewhere}`}</small></th><td class="figure">${figure(change.before, series.clock)} → ${figure(change.after, series.clock)}${series.clock === 'instructions' && html` <small>instructions</small>`}</td><td class="figure ${change.ratio > 1 ? 'up' : 'down'}">${percent(change.ratio)}${measured(change) !== '' && html`<small>${measured(change)}</small>`}</td></tr>
`;
}
