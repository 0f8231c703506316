import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderFeed } from '../../reports/nightly/feed.ts';
import type { NightLinks } from '../../reports/nightly/links.ts';
import { commitRange } from '../../reports/nightly/words.ts';
import { renderNightly } from '../../reports/nightly.ts';
import { makeFolder, replaceFile } from '../base/files.ts';
import { git } from '../base/git.ts';
import { newRegressions, type Regression } from '../nights/news.ts';
import type { Night } from '../nights/night.ts';
import { type ChangeGroup, type Trends, trendsOf } from '../nights/trends.ts';
import type { Triage } from '../nights/triage.ts';

export interface NightPages {
  /** The project's folder, for the subjects of commits. */
  readonly root: string;
  /** Of one matrix, the oldest first; at least one. */
  readonly nights: readonly Night[];
  readonly triage: readonly Triage[];
  /** The file of the page; its feed is beside it, as `.atom`. */
  readonly page: string;
  readonly commitUrl?: string | undefined;
  /** The address under which the page's folder is published, for the feed. */
  readonly site?: string | undefined;
  readonly others?: readonly { readonly matrix: string; readonly href: string }[];
}

/** The feed that stands beside a page. */
export function feedOf(page: string): string {
  return `${page.replace(/\.html?$/, '')}.atom`;
}

/** Writes the page of nights and its feed. Returns their content, and the regressions of the last night. */
export async function writeNightPages(
  pages: NightPages,
): Promise<{ readonly trends: Trends; readonly news: readonly Regression[] }> {
  const { root, nights, triage, page, commitUrl, others = [] } = pages;
  const trends = trendsOf(nights);
  const links: NightLinks = { reports: await reportsBeside(dirname(page), nights), commitUrl };
  const log = await logOf(root, trends.groups, nights);
  const site = pages.site === undefined ? undefined : `${pages.site.replace(/\/+$/, '')}/`;
  makeFolder(dirname(page));
  await replaceFile(page, renderNightly({ nights, trends, log, triage, links, others }));
  await replaceFile(
    feedOf(page),
    renderFeed(nights, trends, links, { site, page: page.slice(dirname(page).length + 1) }),
  );
  return { trends, news: newRegressions(nights, trends, triage) };
}

/** Runs whose own page stands in `runs/RUN` beside a page of nights. */
async function reportsBeside(folder: string, nights: readonly Night[]): Promise<ReadonlySet<string>> {
  const there = await Promise.all(
    nights.map(async ({ run }) => {
      if (!isFolderName(run)) return [];
      const found = await stat(join(folder, 'runs', run, 'index.html')).catch(() => undefined);
      return found?.isFile() ? [run] : [];
    }),
  );
  return new Set(there.flat());
}

/** Whether a run's name, which comes from a file, is a plain folder name. */
export function isFolderName(run: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(run);
}

/** Subjects of the commits of each change, where the project's repository has them. */
async function logOf(
  root: string,
  groups: readonly ChangeGroup[],
  nights: readonly Night[],
): Promise<Map<string, string[]>> {
  const log = new Map<string, string[]>();
  for (const range of new Set(groups.flatMap((group) => commitRange(group, nights) ?? []))) {
    // Commits come from files: pass git only valid ranges.
    if (!/^[0-9a-f]{7,10}\.\.[0-9a-f]{7,10}$/.test(range)) continue;
    const { failed, stdout } = await git(root, 'log', '--max-count=100', '--format=%h %s', range, '--');
    if (!failed && stdout !== '') log.set(range, stdout.split('\n'));
  }
  return log;
}
