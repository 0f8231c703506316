import { join, relative, resolve } from 'node:path';
import { usualReports, writeReports } from '../../../reports/index.ts';
import { type IndexEntry, renderIndex } from '../../../reports/nightly/index-page.ts';
import { ConfigError } from '../../base/errors.ts';
import { makeFolder, replaceFile } from '../../base/files.ts';
import { findProject } from '../../config/load/project.ts';
import { foldFile } from '../../events/load-run.ts';
import { historyFolder } from '../../nights/history.ts';
import { readTriage } from '../../nights/triage.ts';
import type { CliCommand } from '../command.ts';
import { feedOf, isFolderName, writeNightPages } from '../night-pages.ts';
import { nightsOf } from '../nights-of.ts';
import { count } from '../options.ts';

interface Options {
  readonly history?: string;
  /** How many of the newest nights of each matrix get a page. */
  readonly reports: number;
  readonly commitUrl?: string;
  readonly url?: string;
}

/**
 * `harness history site FOLDER`: writes all pages of a history, ready to publish: an index of its matrices, the page of
 * nights and the feed of each, and the reports of the newest nights, made from their events.
 */
async function historySite(to: string, options: Options): Promise<number> {
  const { root } = await findProject(process.cwd());
  const history = options.history ?? historyFolder(root);
  const all = await nightsOf(history);
  if (all.length === 0)
    throw new ConfigError(`cannot write a site: the history ${history} has no runs`, { hint: 'harness history add' });
  const triage = await readTriage(history);
  const folder = resolve(to);
  makeFolder(folder);
  const matrices = [...Map.groupBy(all, ({ night }) => night.matrix)];
  const names = pageNames(matrices.map(([matrix]) => matrix));
  for (const [, runs] of matrices)
    for (const { file, night } of runs.slice(-options.reports))
      if (isFolderName(night.run))
        await writeReports(await foldFile(file), join(folder, 'runs', night.run), usualReports);
  const entries: IndexEntry[] = [];
  for (const [index, [matrix, runs]] of matrices.entries()) {
    const nights = runs.map(({ night }) => night);
    const page = names[index]!;
    const others = [
      { matrix: 'all matrices', href: 'index.html' },
      ...matrices.flatMap(([other], at) => (at === index ? [] : [{ matrix: other, href: names[at]! }])),
    ];
    const { commitUrl, url: site } = options;
    const { trends, news } = await writeNightPages({
      root,
      nights,
      triage,
      page: join(folder, page),
      commitUrl,
      site,
      others,
    });
    entries.push({ matrix, nights, changes: trends.groups.length, regressions: news.length, page, feed: feedOf(page) });
  }
  await replaceFile(join(folder, 'index.html'), renderIndex(entries));
  process.stdout.write(
    `${entries.length} ${entries.length === 1 ? 'matrix' : 'matrices'}: ${relative(process.cwd(), folder)}/index.html\n`,
  );
  return 0;
}

/** A unique file for each matrix, other than the index. */
function pageNames(matrices: readonly string[]): string[] {
  const taken = new Set(['index']);
  return matrices.map((matrix) => {
    const word = matrix.replaceAll(/[^A-Za-z0-9_-]+/g, '-') || 'matrix';
    let name = word;
    for (let times = 2; taken.has(name); times++) name = `${word}-${times}`;
    taken.add(name);
    return `${name}.html`;
  });
}

export const historySiteCommand: CliCommand = {
  name: 'history site',
  declare: (command) =>
    command
      .description('write a site of the history: matrices, nights, feeds, and reports of the newest nights')
      .argument('<folder>', 'folder to write to')
      .option('--history <folder>', "folder of the history; default: the project's history/")
      .option('--reports <n>', 'how many nights of each matrix get a report', count, 30)
      .option('--commit-url <url>', "address of a commit's page, with {sha} in it; default: what the night's CI says")
      .option('--url <url>', "address at which the folder will be published, for the feeds' links")
      .addHelpText(
        'after',
        '\nExamples:\n  harness history site site --history nights --url https://example.org/nights',
      ),
  act: historySite,
};
