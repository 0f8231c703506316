import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { didYouMean, expectedOneOf } from '../base/nearest.ts';
import { quote } from '../base/quote.ts';
import { findProject } from '../config/load/project.ts';
import { foldFile, loadRun } from '../events/load-run.ts';
import type { RunResult } from '../events/result.ts';
import { historyFolder, runOfCommit } from '../nights/history.ts';
import { runsFolder } from '../run/schedule/run.ts';
import { nightsOf } from './nights-of.ts';

/** Name of the file of a run's events. */
const EVENTS = 'events.jsonl';

/**
 * The folder of a run that a command line names: by its name (`latest` is the newest), its folder, or its events.jsonl.
 * @param root the project's folder.
 * @throws ConfigError that names the existing runs.
 */
export async function runFolderOf(name: string, root: string): Promise<string> {
  const isPath = name.includes('/') || name === '.' || name === '..' || name === EVENTS;
  const folder = !isPath ? join(runsFolder(root), name) : basename(name) === EVENTS ? dirname(name) : name;
  if (name !== '' && (await hasEvents(folder))) return folder;
  if (isPath)
    throw new ConfigError(`cannot find a run in ${quote(name)}: there is no ${EVENTS}`, {
      hint: 'A run is named by its name, its folder, or its events.jsonl.',
    });
  const names = await runNames(root);
  if (names.length === 0)
    throw new ConfigError(`there is no run ${quote(name)}: the project has no runs yet`, {
      hint: 'harness run makes one; they are in .harness/runs',
    });
  throw new ConfigError(`unknown run ${quote(name)}, ${expectedOneOf(names)}${didYouMean(name, names)}`);
}

/** The names of a project's runs, `latest` and then the newest first. */
export async function runNames(root: string): Promise<string[]> {
  const runs = runsFolder(root);
  const entries = (await readdir(runs).catch(() => [])).sort().reverse();
  const found = await Promise.all(entries.map(async (name) => ((await hasEvents(join(runs, name))) ? [name] : [])));
  return found.flat().sort((a, b) => Number(b === 'latest') - Number(a === 'latest'));
}

async function hasEvents(folder: string): Promise<boolean> {
  return (await stat(join(folder, EVENTS)).catch(() => undefined))?.isFile() ?? false;
}

/** A run by its name, its folder or its file of events, or the newest of a commit in the history. */
export async function runOf(name: string, history: string | undefined): Promise<RunResult> {
  const { root } = await findProject(process.cwd());
  let folder: string;
  try {
    folder = await runFolderOf(name, root);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const nights = await nightsOf(history ?? historyFolder(root));
    const found = await runOfCommit(root, nights, name);
    if (found !== undefined) return foldFile(found);
    throw new ConfigError(`${error.message}; the history has no run of a commit ${quote(name)} either`, {
      hint: `The history has ${nights.length} runs: harness history list`,
    });
  }
  return loadRun(folder);
}
