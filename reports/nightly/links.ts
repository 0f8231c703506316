import type { Night } from '../../harness/nights/night.ts';
import { html, type Markup } from '../html/markup.ts';
import { commitOf, when } from './words.ts';

/** Addresses of the things that a night refers to. */
export interface NightLinks {
  /** Runs whose own page stands beside this one, see {@link reportOf}. */
  readonly reports: ReadonlySet<string>;
  /** A commit's page, with `{sha}` in it; a night's known CI overrides it. */
  readonly commitUrl?: string | undefined;
}

/** Path of a night's own page, relative to the page of nights. */
export function reportOf(run: string): string {
  return `runs/${encodeURIComponent(run)}/index.html`;
}

/** The address of a night's report; undefined where there is none. */
export function reportHref({ run }: Pick<Night, 'run'>, { reports }: NightLinks): string | undefined {
  return reports.has(run) ? reportOf(run) : undefined;
}

/** The CI's page of the night; an event's address is used only if it is a web address. */
export function runHref({ origin }: Pick<Night, 'origin'>): string | undefined {
  return origin?.url !== undefined && /^https?:\/\/[^\s]+$/.test(origin.url) ? origin.url : undefined;
}

/** The page of a night's commit, at the service that its CI is of. */
export function commitHref(
  { git, origin }: Pick<Night, 'git' | 'origin'>,
  { commitUrl }: NightLinks,
): string | undefined {
  if (!git || !/^[0-9a-f]{7,64}$/.test(git.sha)) return undefined;
  const url = runHref({ ...(origin ? { origin } : {}) });
  const github = /^(https?:\/\/[^/]+\/[^/]+\/[^/]+)\/actions\//.exec(url ?? '')?.[1];
  const gitlab = /^(https?:\/\/.+?)\/-\//.exec(url ?? '')?.[1];
  if (github !== undefined) return `${github}/commit/${git.sha}`;
  if (gitlab !== undefined) return `${gitlab}/-/commit/${git.sha}`;
  return commitUrl !== undefined && /^https?:\/\//.test(commitUrl) ? commitUrl.replaceAll('{sha}', git.sha) : undefined;
}

/** A text, linked if there is an address. */
export function linked(text: string | Markup, href: string | undefined): Markup {
  return href === undefined ? html`${text}` : html`<a href="${href}">${text}</a>`;
}

/** A night's time and commit with their links. */
export function nightMark(night: Night, links: NightLinks): Markup {
  return html`${linked(when(night), reportHref(night, links) ?? runHref(night))} ${commitMark(night, links)}`;
}

/** A night's commit, as a link where its page is known. */
export function commitMark(night: Night, links: NightLinks): Markup {
  return linked(html`<code>${commitOf(night)}</code>`, commitHref(night, links));
}
