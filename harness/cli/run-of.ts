import { basename, dirname } from 'node:path';
import { ConfigError, messageOf } from '../base/errors.ts';
import { findProject } from '../config/project.ts';
import { foldFile, loadRun } from '../events/load-run.ts';
import type { RunResult } from '../events/result.ts';
import { historyFolder, runOfCommit } from '../run/history.ts';
import { findRun } from '../run/run.ts';
import { nightsOf } from './history.ts';

/** A run by its name, its folder or its file of events, or the newest of a commit in the history. */
export async function runOf(name: string, history: string | undefined): Promise<RunResult> {
  const { root } = await findProject(process.cwd());
  const place = basename(name) === 'events.jsonl' ? `${dirname(name)}/` : name;
  try {
    return await loadRun(await findRun(root, place));
  } catch (error) {
    const nights = await nightsOf(history ?? historyFolder(root));
    const found = await runOfCommit(root, nights, name);
    if (found !== undefined) return foldFile(found);
    throw new ConfigError(`${messageOf(error)}, and the history has no run of a commit ${JSON.stringify(name)}`, {
      cause: error,
      hint: `The history has ${nights.length} runs: harness history list`,
    });
  }
}
