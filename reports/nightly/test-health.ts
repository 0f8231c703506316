import type { Night } from '../../harness/nights/night.ts';
import { type TestHealth, testHealth } from '../../harness/nights/test-health.ts';
import { type Triage, triageOf } from '../../harness/nights/triage.ts';
import { html, type Markup } from '../html/markup.ts';
import { SHOWN } from './board.ts';
import { linked, type NightLinks, reportHref } from './links.ts';
import { sortable, triageTag } from './table.ts';

/** The most tests that are listed. */
const MOST = 200;

/** How often each test recently went wrong, since when, and its last message. */
export function testsSection(all: readonly Night[], triage: readonly Triage[], links: NightLinks): Markup {
  const nights = all.slice(-SHOWN);
  const tests = testHealth(nights);
  if (tests.length === 0)
    return html`<section id="tests"><h2>Tests</h2><p class="muted">Every test that ran passed in the last ${nights.length} nights.</p></section>`;
  const row = (test: TestHealth) => {
    const day = (night: number) => {
      const at = nights[night]!;
      return html`<td data-value="${at.startedAt}">${linked(at.startedAt.slice(0, 10), reportHref(at, links))}</td>`;
    };
    const said = triageOf(triage, { cell: test.cell, test: test.name, since: nights[test.since]!.startedAt });
    return html`<tr><th scope="row">${test.name} <small>${test.cell}, ${test.file}</small>${test.now && html` <small class="tag v-failed">in the last night</small>`}${test.excused && html` <small class="tag">in quarantine</small>`}${triageTag(said)}</th><td class="figure" data-value="${test.failed}">${test.failed} of ${test.ran}</td><td class="figure" data-value="${test.flaky}">${test.flaky}</td>${day(test.since)}${day(test.last)}<td class="error">${test.error ?? '–'}</td></tr>
`;
  };
  const columns = ['Test', 'Failed', 'Flaky', 'Since', 'Last', 'Last error'];
  return html`<section id="tests"><h2>Tests</h2><p class="muted">Those that did not simply pass in the last ${nights.length} nights; of the nights in which their cell was run.</p>
${sortable('tests-table', columns, tests.slice(0, MOST).map(row))}${tests.length > MOST && html`<p class="muted">and ${tests.length - MOST} more</p>`}</section>`;
}
