import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { commitRange, measured, percent } from '../../../reports/nightly/words.ts';
import { renderNightly } from '../../../reports/nightly.ts';
import { visible } from '../../../reports/text.ts';
import { ConfigError } from '../../base/errors.ts';
import { replaceFile } from '../../base/files.ts';
import { findProject } from '../../config/load/project.ts';
import { addToHistory, historyFolder } from '../../nights/history.ts';
import type { Night } from '../../nights/night.ts';
import { stillRed } from '../../nights/standing.ts';
import { type ChangeGroup, type Trends, trendsOf } from '../../nights/trends.ts';
import { afterRun } from '../after-run.ts';
import { nightsOf } from './history.ts';
import { type RunFlags, runCells } from './run.ts';

interface PageOptions {
  readonly history?: string;
  readonly page?: string;
  readonly json?: boolean;
}

/** The matrix that `harness nightly` runs when none is named. */
const MATRIX = 'nightly';

/** `harness nightly [matrix]`: runs it, adds the run to the history, and writes the page of all nights. */
export async function nightly(named: string | undefined, options: RunFlags & PageOptions): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = options.history ?? historyFolder(root);
  // What is wrong with the history is said before an hour of work, and not after it.
  await nightsOf(folder);
  const { run, folder: runFolder, exitCode } = await runCells(named ?? MATRIX, options);
  if (exitCode === 130) {
    process.stderr.write(`${run} was interrupted and is not added to the history: harness history add ${run}\n`);
    return exitCode;
  }
  await afterRun(async () => {
    const { file } = await addToHistory(folder, join(runFolder, 'events.jsonl'));
    const nights = await nightsOf(folder);
    const { matrix } = nights.find(({ night }) => night.run === run)!.night;
    await writePage(
      root,
      nights.map(({ night }) => night),
      matrix,
      options,
      { run, exitCode, file },
    );
  });
  return exitCode;
}

/** `harness history page`: the page again, without running anything. */
export async function historyPage(options: PageOptions & { readonly matrix?: string }): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = options.history ?? historyFolder(root);
  const nights = (await nightsOf(folder)).map(({ night }) => night);
  const newest = nights.at(-1);
  if (!newest)
    throw new ConfigError(`cannot write a page: the history ${folder} has no runs`, { hint: 'harness history add' });
  await writePage(root, nights, options.matrix ?? newest.matrix, options);
  return 0;
}

async function writePage(
  root: string,
  all: readonly Night[],
  matrix: string,
  options: PageOptions,
  ran: { readonly run?: string; readonly exitCode?: number; readonly file?: string } = {},
): Promise<void> {
  const nights = all.filter((night) => night.matrix === matrix);
  if (nights.length === 0) {
    const known = [...new Set(all.map((night) => night.matrix))].join(', ');
    throw new ConfigError(`cannot write a page: the history has no run of the matrix ${matrix}, only of ${known}`);
  }
  const page = resolve(options.page ?? join(root, '.harness', 'nightly.html'));
  const trends = trendsOf(nights);
  await mkdir(dirname(page), { recursive: true });
  await replaceFile(page, renderNightly({ nights, trends, log: await logOf(root, trends.groups, nights) }));
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ ...ran, matrix, page, nights: nights.length, ...accountOf(trends, nights) }, null, 2)}\n`,
    );
  else {
    for (const group of trends.groups.filter(({ isNew }) => isNew))
      process.stdout.write(`new: ${visible(lineOf(group, nights))}\n`);
    for (const { cell, since, nights: count } of stillRed(nights))
      process.stdout.write(
        `still ${cell.verdict}: ${visible(cell.name)} since ${nights[since]!.startedAt.slice(0, 10)}, ${count} nights\n`,
      );
    process.stdout.write(
      `${counted(nights.length, 'night')}, ${counted(trends.groups.length, 'change')}: ${relative(process.cwd(), page)}\n`,
    );
  }
}

/** Subjects of the commits of each change, where the project's repository has them. */
async function logOf(
  root: string,
  groups: readonly ChangeGroup[],
  nights: readonly Night[],
): Promise<Map<string, string[]>> {
  const log = new Map<string, string[]>();
  for (const range of new Set(groups.flatMap((group) => commitRange(group, nights) ?? []))) {
    // Commits come from files: what is no range of them is none to git either.
    if (!/^[0-9a-f]{7,10}\.\.[0-9a-f]{7,10}$/.test(range)) continue;
    const { failed, stdout } = await execa(
      'git',
      ['-C', root, 'log', '--max-count=100', '--format=%h %s', range, '--'],
      {
        reject: false,
        stdin: 'ignore',
      },
    );
    if (!failed && stdout !== '') log.set(range, stdout.split('\n'));
  }
  return log;
}

function lineOf(group: ChangeGroup, nights: readonly Night[]): string {
  const members = group.members
    .slice(0, 3)
    .map(
      ({ trend: { course }, change }) => `${course.cell} ${course.name} ${percent(change.ratio)}${measured(change)}`,
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
  const benchmark = ({ cell, file, name, clock, machine, operations }: Trends['trends'][number]['course']) => ({
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
        ...benchmark(trend.course),
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
    suspects: trends.flatMap(({ course, suspect }) => (suspect ? [{ ...benchmark(course), ...suspect }] : [])),
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
