import { join, relative } from 'node:path';
import { visible } from '../../../reports/text.ts';
import { formatDuration } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { type Job, jobsOf } from '../../events/health.ts';
import { addToHistory, historyFolder } from '../../nights/history.ts';
import type { Night } from '../../nights/night.ts';
import type { CliCommand } from '../command.ts';
import { nightsOf } from '../nights-of.ts';
import { count } from '../options.ts';
import { runFolderOf } from '../run-of.ts';
import { columns } from '../terminal/columns.ts';

interface Options {
  readonly history?: string;
  readonly json?: boolean;
}

/** `harness history add [run…]`: keeps runs' events for later comparisons. */
async function addRuns(names: readonly string[], options: Options): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = options.history ?? historyFolder(root);
  for (const name of names.length > 0 ? names : ['latest']) {
    const { file, added } = await addToHistory(folder, join(await runFolderOf(name, root), 'events.jsonl'));
    process.stdout.write(`${added ? 'added' : 'was there'}  ${relative(process.cwd(), file)}\n`);
  }
  return 0;
}

/** `harness history list`: the runs, the newest last. */
async function listHistory(options: Options): Promise<number> {
  const { root } = await findProject(process.cwd());
  const runs = (await nightsOf(options.history ?? historyFolder(root))).map(({ night }) => summaryOf(night));
  if (options.json) process.stdout.write(`${JSON.stringify({ runs }, null, 2)}\n`);
  else {
    for (const { startedAt, commit, state, cells, tests, benchmarks, durationMs, run } of runs)
      process.stdout.write(
        `${startedAt}  ${(commit ?? '').slice(0, 12).padEnd(12)}  ${state.padEnd(11)}  ${cells} cells, ${tests} tests, ${benchmarks} benchmarks  ${formatDuration(durationMs)}  ${visible(run)}\n`,
      );
    if (runs.length === 0) process.stdout.write('no runs: harness history add\n');
  }
  return 0;
}

/** `harness history jobs`: the cells of the newest runs as a CI's table lists its jobs, the newest last. */
export async function listJobs({ last = 20, ...options }: Options & { readonly last?: number }): Promise<number> {
  const { root } = await findProject(process.cwd());
  const nights = (await nightsOf(options.history ?? historyFolder(root))).slice(-last);
  const jobs = nights.flatMap(({ night }) => jobsOf(night).map((job) => ({ run: night.run, ...job })));
  if (options.json) process.stdout.write(`${JSON.stringify({ jobs }, null, 2)}\n`);
  else if (jobs.length === 0) process.stdout.write('no runs: harness history add\n');
  else process.stdout.write(`${columns([JOB_COLUMNS, ...jobs.map(rowOf)]).join('\n')}\n`);
  return 0;
}

const JOB_COLUMNS = ['job', 'project', 'branch', 'pipeline', 'change', 'duration', 'start', 'result'];

function rowOf({ job, voting, project, branch, pipeline, change, durationMs, startedAt, result }: Job): string[] {
  const duration = startedAt === undefined ? '-' : formatDuration(durationMs);
  const start = startedAt?.slice(0, 16).replace('T', ' ') ?? '-';
  const fromCi = [project, branch, pipeline, change].map((value) => (value === undefined ? '-' : visible(value)));
  return [job, ...fromCi, duration, start, voting ? result : `${result} (non-voting)`];
}

function summaryOf({ run, startedAt, git, origin, state, cells, tests, durationMs }: Night) {
  return {
    run,
    startedAt,
    ...(git ? { commit: git.sha, dirty: git.dirty } : {}),
    ...(origin ? { origin } : {}),
    state,
    cells: cells.length,
    tests,
    benchmarks: cells.reduce((sum, cell) => sum + cell.figures.length, 0),
    durationMs,
  };
}

export const historyAddCommand: CliCommand = {
  name: 'history add',
  declare: (command) =>
    command
      .description("add runs' events to the history")
      .argument('[runs...]', 'names of runs, or folders that hold events.jsonl; default: latest')
      .option('--history <folder>', "folder of the history; default: the project's history/"),
  act: addRuns,
};

export const historyListCommand: CliCommand = {
  name: 'history list',
  declare: (command) =>
    command
      .description('show the runs of the history')
      .option('--history <folder>', "folder of the history; default: the project's history/")
      .option('--json', 'print one JSON document on stdout'),
  act: listHistory,
};

export const historyJobsCommand: CliCommand = {
  name: 'history jobs',
  declare: (command) =>
    command
      .description(
        "show the cells of the newest runs as a CI's table of jobs: project, branch, pipeline, change, result",
      )
      .option('--history <folder>', "folder of the history; default: the project's history/")
      .option('--last <n>', 'how many of the newest runs to show; default: 20', count)
      .option('--json', 'print one JSON document on stdout'),
  act: listJobs,
};
