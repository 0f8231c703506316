import type { RunResult } from '../../harness/events/result.ts';
import { html, type Markup } from './markup.ts';

/** How to get from a service's page of a run to that of a commit: the path after the repository in both. */
const COMMIT_PAGES = [
  // GitHub, Gitea, Forgejo.
  { run: '/actions/runs/', commit: '/commit/' },
  // GitLab.
  { run: '/-/', commit: '/-/commit/' },
] as const;

/** The origin of a run, with a link to its CI; undefined if it was started by hand. */
export function originOf({ origin }: Pick<RunResult, 'origin'>): Markup | undefined {
  if (origin?.ci === undefined) return undefined;
  const name = origin.pipeline === undefined ? origin.ci : `${origin.ci}, ${origin.pipeline}`;
  const url = webAddress(origin.url);
  return html`${url === undefined ? name : html`<a href="${url}">${name}</a>`}${origin.branch !== undefined && `, branch ${origin.branch}`}${origin.change !== undefined && `, change ${origin.change}`}`;
}

/** A commit, as a link to its page where that is known. */
export function commitLink({ git, origin }: Pick<RunResult, 'git' | 'origin'>, length: number): Markup | undefined {
  if (!git) return undefined;
  const url = commitPage(webAddress(origin?.url), git.sha);
  const shown = html`<code>${git.sha.slice(0, length)}</code>`;
  return html`${url === undefined ? shown : html`<a href="${url}">${shown}</a>`}${git.dirty && ' with local changes'}`;
}

function commitPage(url: string | undefined, sha: string): string | undefined {
  const found = COMMIT_PAGES.find(({ run }) => url?.includes(run));
  return found && `${url!.slice(0, url!.indexOf(found.run))}${found.commit}${encodeURIComponent(sha.toWellFormed())}`;
}

/** It comes from the environment: only web addresses become links. */
function webAddress(url: string | undefined): string | undefined {
  return url !== undefined && /^https?:\/\/[^\s"'<>]+$/.test(url) ? url : undefined;
}
