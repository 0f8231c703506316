import { join, relative, resolve } from 'node:path';
import { commitRange, measured, percent } from '../../../reports/nightly/words.ts';
import { visible } from '../../../reports/text.ts';
import { ConfigError } from '../../base/errors.ts';
import { findProject, listMatrices } from '../../config/load/project.ts';
import { addToHistory, historyFolder } from '../../nights/history.ts';
import type { Regression } from '../../nights/news.ts';
import type { Night } from '../../nights/night.ts';
import { stillRed } from '../../nights/standing.ts';
import type { ChangeGroup, Trends } from '../../nights/trends.ts';
import { readTriage } from '../../nights/triage.ts';
import { afterRun } from '../after-run.ts';
import type { CliCommand } from '../command.ts';
import { writeNightPages } from '../night-pages.ts';
import { nightsOf } from '../nights-of.ts';
import { cellOptions, count, displayOptions, reportOption } from '../options.ts';
import { type RunFlags, runCells } from './run.ts';

interface PageOptions {
  readonly history?: string;
  readonly page?: string;
  readonly commitUrl?: string;
  readonly json?: boolean;
}

/** New regressions, without a failed cell. */
const NEW_REGRESSION = 5;

/** The default matrix of `harness nightly`. A project without it has the default of `harness run`, not the package's own. */
const MATRIX = 'nightly';

/** `harness nightly [matrix]`: runs it, adds the run to the history, and writes the page of all nights. */
async function nightly(named: string | undefined, options: RunFlags & PageOptions): Promise<number> {
  const { root, matrices } = await findProject(process.cwd());
  const usual = (await listMatrices(matrices)).includes(MATRIX) ? MATRIX : undefined;
  const folder = options.history ?? historyFolder(root);
  // Problems of the history are reported before an hour of work, not after it.
  await nightsOf(folder);
  await readTriage(folder);
  const { run, folder: runFolder, exitCode } = await runCells(named ?? usual, options);
  if (exitCode === 130) {
    process.stderr.write(`${run} was interrupted and is not added to the history: harness history add ${run}\n`);
    return exitCode;
  }
  let news: readonly Regression[] = [];
  await afterRun(async () => {
    const { file } = await addToHistory(folder, join(runFolder, 'events.jsonl'));
    const nights = await nightsOf(folder);
    const { matrix } = nights.find(({ night }) => night.run === run)!.night;
    news = await writePage(
      root,
      nights.map(({ night }) => night),
      matrix,
      { ...options, history: folder },
      { run, exitCode, file },
    );
  });
  return exitCode === 0 && news.length > 0 ? NEW_REGRESSION : exitCode;
}

/** `harness history page`: rewrites the page without running anything. */
async function historyPage(
  options: PageOptions & { readonly matrix?: string; readonly failOnNew?: boolean },
): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = options.history ?? historyFolder(root);
  const nights = (await nightsOf(folder)).map(({ night }) => night);
  const newest = nights.at(-1);
  if (!newest)
    throw new ConfigError(`cannot write a page: the history ${folder} has no runs`, { hint: 'harness history add' });
  const news = await writePage(root, nights, options.matrix ?? newest.matrix, { ...options, history: folder });
  return options.failOnNew && news.length > 0 ? NEW_REGRESSION : 0;
}

async function writePage(
  root: string,
  all: readonly Night[],
  matrix: string,
  options: PageOptions & { readonly history: string },
  ran: { readonly run?: string; readonly exitCode?: number; readonly file?: string } = {},
): Promise<readonly Regression[]> {
  const nights = all.filter((night) => night.matrix === matrix);
  if (nights.length === 0) {
    const known = [...new Set(all.map((night) => night.matrix))].join(', ');
    throw new ConfigError(`cannot write a page: the history has no run of the matrix ${matrix}, only of ${known}`);
  }
  const page = resolve(options.page ?? join(root, '.harness', 'nightly.html'));
  const triage = await readTriage(options.history);
  const { trends, news } = await writeNightPages({ root, nights, triage, page, commitUrl: options.commitUrl });
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ ...ran, matrix, page, nights: nights.length, ...accountOf(trends, nights), news: news.map(dataOf) }, null, 2)}\n`,
    );
  else {
    for (const group of trends.groups.filter(({ isNew }) => isNew))
      process.stdout.write(`new: ${visible(lineOf(group, nights))}\n`);
    for (const { cell, since, nights: count } of stillRed(nights))
      process.stdout.write(
        `still ${cell.verdict}: ${visible(cell.name)} since ${nights[since]!.startedAt.slice(0, 10)}, ${count} nights\n`,
      );
    for (const one of news)
      if (one.kind !== 'benchmark')
        process.stdout.write(
          `new: ${visible([one.cell.name, ...(one.kind === 'test' ? [one.test.name] : [])].join(' '))} failed\n`,
        );
    process.stdout.write(
      `${counted(nights.length, 'night')}, ${counted(trends.groups.length, 'change')}: ${relative(process.cwd(), page)}\n`,
    );
  }
  return news;
}

/** Regressions as data, with their triage. */
function dataOf(one: Regression) {
  if (one.kind === 'benchmark') {
    const [{ trend }] = one.group.members as [(typeof one.group.members)[number]];
    return { kind: one.kind, cell: trend.series.cell, benchmark: trend.series.name };
  }
  return { kind: one.kind, cell: one.cell.name, ...(one.kind === 'test' ? { test: one.test.name } : {}) };
}

function lineOf(group: ChangeGroup, nights: readonly Night[]): string {
  const members = group.members
    .slice(0, 3)
    .map(
      ({ trend: { series }, change }) => `${series.cell} ${series.name} ${percent(change.ratio)}${measured(change)}`,
    );
  const more = group.members.length > 3 ? ` and ${group.members.length - 3} more` : '';
  return `${members.join(', ')}${more}, ${commitRange(group, nights) ?? `since ${nights[group.first]!.startedAt}`}`;
}

/** The page's findings as data. */
function accountOf({ trends, groups }: Trends, nights: readonly Night[]) {
  const night = (index: number) => ({
    run: nights[index]!.run,
    startedAt: nights[index]!.startedAt,
    commit: nights[index]!.git?.sha,
  });
  const benchmark = ({ cell, file, name, clock, machine, operations }: Trends['trends'][number]['series']) => ({
    cell,
    file,
    name,
    clock,
    machine,
    operations,
  });
  return {
    changes: groups.map((group) => ({
      isNew: group.isNew,
      lastBefore: night(group.lastBefore),
      first: night(group.first),
      benchmarks: group.members.map(({ trend, change: { before, after, ratio, rawRatio, p, first } }) => ({
        ...benchmark(trend.series),
        before,
        after,
        ratio,
        rawRatio,
        p,
        first: nights[first]!.run,
      })),
    })),
    stillRed: stillRed(nights).map(({ cell, since, nights: count }) => ({
      cell: cell.name,
      verdict: cell.verdict,
      since: night(since),
      nights: count,
    })),
    suspects: trends.flatMap(({ series, suspect }) => (suspect ? [{ ...benchmark(series), ...suspect }] : [])),
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export const historyPageCommand: CliCommand = {
  name: 'history page',
  declare: (command) =>
    command
      .description('write the page of all nights of a matrix, without running anything')
      .option('--history <folder>', "folder of the history; default: the project's history/")
      .option('--page <file>', 'file to write; default: .harness/nightly.html')
      .option('--matrix <name>', "which matrix; default: the newest run's")
      .option('--commit-url <url>', "address of a commit's page, with {sha} in it; default: what the night's CI says")
      .option('--fail-on-new', 'exit with 5 when the last night has a regression that nobody has triaged')
      .option('--json', 'print the findings as one JSON document on stdout')
      .addHelpText(
        'after',
        '\nExamples:\n  harness history page\n  harness history page --history nights --page site/index.html',
      ),
  act: historyPage,
};

export const nightlyCommand: CliCommand = {
  name: 'nightly',
  byCells: true,
  takesCommand: true,
  declare: (command) =>
    displayOptions(reportOption(cellOptions(command)))
      .description(
        'run a matrix (nightly, else the default of run), add the run to the history, and write the page of all nights',
      )
      .option('--history <folder>', "folder of the history; default: the project's history/")
      .option('--page <file>', 'file to write; default: .harness/nightly.html')
      .option('--commit-url <url>', "address of a commit's page, with {sha} in it; default: what the night's CI says")
      .option('--jobs <n>', 'cells at once; default: as many as memory and cores allow', count)
      .option('--cold', 'boot and deploy even if a snapshot could be resumed, and save none')
      .addHelpText(
        'after',
        '\nExamples:\n  harness nightly\n  harness nightly quickstart --arch amd64 --history nights --page site/index.html',
      ),
  act: nightly,
};
