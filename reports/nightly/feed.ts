import { type Regression, regressions } from '../../harness/nights/news.ts';
import type { Night } from '../../harness/nights/night.ts';
import type { Trends } from '../../harness/nights/trends.ts';
import { uuidOf } from '../cases.ts';
import { html, type Markup } from '../html/markup.ts';
import { headline } from './changes.ts';
import { type NightLinks, reportOf, runHref } from './links.ts';
import { commitRange } from './words.ts';

/** Entries at most, the newest. */
const MOST = 50;

/** The addresses of the page of nights and its feed, for links: a feed is read elsewhere. */
export interface FeedPlace {
  /** The page's own address, ending in `/`; absent: links are relative to the feed. */
  readonly site?: string | undefined;
  /** The page's file, beside the feed. */
  readonly page: string;
}

/**
 * The regressions as an Atom feed: each entry keeps its id, so that a reader shows it once.
 * Source: RFC 4287.
 */
export function renderFeed(
  nights: readonly Night[],
  trends: Trends,
  links: NightLinks,
  { site = '', page }: FeedPlace,
): string {
  const last = nights.at(-1)!;
  const entries = regressions(nights, trends).slice(0, MOST);
  return html`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>${last.matrix}: what got worse</title>
<id>urn:uuid:${uuidOf(`feed ${last.matrix}`)}</id>
<updated>${last.startedAt}</updated>
<author><name>multiarch-harness</name></author>
<link rel="alternate" type="text/html" href="${site}${page}"/>
${entries.map((one) => entry(one, nights, links, { site, page }))}</feed>
`.text;
}

function entry(one: Regression, nights: readonly Night[], links: NightLinks, { site = '', page }: FeedPlace): Markup {
  const night = nights[one.night]!;
  const { title, key, text } = wordsOf(one, nights);
  const report = links.reports.has(night.run) ? `${site}${reportOf(night.run)}` : (runHref(night) ?? `${site}${page}`);
  return html`<entry>
<title>${title}</title>
<id>urn:uuid:${uuidOf(JSON.stringify([night.matrix, night.run, ...key]))}</id>
<updated>${night.startedAt}</updated>
<link rel="alternate" type="text/html" href="${report}"/>
<content type="text">${text}</content>
</entry>
`;
}

function wordsOf(one: Regression, nights: readonly Night[]): { title: string; key: string[]; text: string } {
  if (one.kind === 'benchmark') {
    const [{ trend }] = one.group.members as [(typeof one.group.members)[number]];
    const range = commitRange(one.group, nights);
    return {
      title: headline(one.group),
      key: ['benchmark', trend.series.cell, trend.series.name],
      text: `${one.group.members.length} trends changed${range === undefined ? '' : `; git log ${range}`}`,
    };
  }
  const { cell } = one;
  if (one.kind === 'cell')
    return { title: `${cell.name}: ${cell.verdict}`, key: ['cell', cell.name], text: cell.reason ?? cell.verdict };
  const { file, name, verdict, error } = one.test;
  return {
    title: `${cell.name}: ${name}: ${verdict}`,
    key: ['test', cell.name, file, name],
    text: error ?? cell.reason ?? verdict,
  };
}
