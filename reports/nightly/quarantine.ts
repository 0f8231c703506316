import { PASSES_TO_LEAVE } from '../../harness/events/quarantine.ts';
import type { Night } from '../../harness/nights/night.ts';
import { type QuarantineRecord, quarantineRecords } from '../../harness/nights/quarantine.ts';
import { html, type Markup } from '../html/markup.ts';
import { sortable } from './table.ts';

/** The quarantine of the last night, with ages and extensions; undefined if it is empty. */
export function quarantineSection(nights: readonly Night[]): Markup | undefined {
  const records = quarantineRecords(nights);
  if (records.length === 0) return undefined;
  const columns = ['What', 'Tracked at', 'In quarantine since', 'Extended', 'Last day', 'Passed in a row'];
  return html`<section id="quarantine"><h2>Quarantine</h2><p class="muted">Failures listed here do not vote until their last day. An entry that has passed ${PASSES_TO_LEAVE} runs in a row is ready to leave.</p>
${sortable(
  'quarantine-table',
  columns,
  records.map((record) => row(record, nights)),
)}</section>`;
}

function row(record: QuarantineRecord, nights: readonly Night[]): Markup {
  const { link, owner, expires, passes, since, ageDays, before, daysLeft, ready } = record;
  const [what, where] = aboutOf(record);
  const off = before.length === 0 ? 'never' : `${times(before.length)}, before until ${before.join(', ')}`;
  const state =
    daysLeft < 0
      ? html` <small class="tag v-failed">expired ${days(-daysLeft)} ago: it votes again</small>`
      : html` <small>${daysLeft === 0 ? 'today' : `${days(daysLeft)} left`}</small>`;
  const leave = ready && html` <small class="tag v-passed">ready to leave</small>`;
  return html`<tr><th scope="row">${what}${where !== '' && html` <small>${where}</small>`}</th><td><a href="${link}">${link}</a>${owner !== undefined && html` <small>${owner}</small>`}</td><td data-value="${ageDays}">${nights[since]!.startedAt.slice(0, 10)} <small>${days(ageDays)}</small></td><td data-value="${before.length}">${off}</td><td data-value="${expires}">${expires}${state}</td><td class="figure" data-value="${passes}">${passes}${leave}</td></tr>
`;
}

/** The subject of an entry, and its cells. */
function aboutOf({ test, cell, arch = [], target = [] }: QuarantineRecord): [what: string, where: string] {
  const narrowed = [...arch, ...target];
  if (test === undefined) return [cell ?? 'every cell', narrowed.join(', ')];
  return [test, [...(cell === undefined ? [] : [cell]), ...narrowed].join(', ')];
}

function days(count: number): string {
  return `${count} ${count === 1 ? 'day' : 'days'}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
