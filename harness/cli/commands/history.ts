import { join, relative } from 'node:path';
import { visible } from '../../../reports/text.ts';
import { cacheFolder } from '../../base/folders.ts';
import { formatDuration } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { addToHistory, historyFolder } from '../../nights/history.ts';
import { type HistoryNight, indexFile, readHistory } from '../../nights/history-index.ts';
import type { Night } from '../../nights/night.ts';
import { runFolderOf } from '../run-of.ts';

interface Options {
  readonly history?: string;
  readonly json?: boolean;
}

/** `harness history add [run…]`: keeps runs' events for comparisons to come. */
export async function addRuns(names: readonly string[], options: Options): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = options.history ?? historyFolder(root);
  for (const name of names.length > 0 ? names : ['latest']) {
    const { file, added } = await addToHistory(folder, join(await runFolderOf(name, root), 'events.jsonl'));
    process.stdout.write(`${added ? 'added' : 'was there'}  ${relative(process.cwd(), file)}\n`);
  }
  return 0;
}

/** `harness history list`: the runs, the newest last. */
export async function listHistory(options: Options): Promise<number> {
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

/** The runs of a history, by way of its index in the cache. */
export async function nightsOf(folder: string): Promise<HistoryNight[]> {
  return readHistory(folder, await indexFile(cacheFolder(), folder));
}

function summaryOf({ run, startedAt, git, state, cells, tests, durationMs }: Night) {
  return {
    run,
    startedAt,
    ...(git ? { commit: git.sha, dirty: git.dirty } : {}),
    state,
    cells: cells.length,
    tests,
    benchmarks: cells.reduce((sum, cell) => sum + cell.figures.length, 0),
    durationMs,
  };
}
