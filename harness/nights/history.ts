import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { makeFolder, replaceFile } from '../base/files.ts';
import { git } from '../base/git.ts';
import { foldFile } from '../events/load-run.ts';
import { ENDING, type HistoryNight } from './history-index.ts';

/** The default folder of a project's history: beside its matrices, in git or not. */
export function historyFolder(project: string): string {
  return join(project, 'history');
}

/**
 * Adds a run's events to a history, which is just a folder of such files, so that it can live in a branch or an
 * artifact. A run that is already there stays as it is.
 * @returns the file, and whether it is new.
 * @throws ConfigError if there is another run of that name, or the run has not ended.
 */
export async function addToHistory(
  folder: string,
  events: string,
): Promise<{ readonly file: string; readonly added: boolean }> {
  const result = await foldFile(events);
  const file = join(folder, `${fileName(result.run)}${ENDING}`);
  const text = await readFile(events, 'utf8');
  if (!text.includes('"type":"run.finished"'))
    throw new ConfigError(`cannot add ${result.run} to the history: it has not ended`, {
      hint: 'A run that was killed has figures of a machine that something happened to.',
    });
  const there = await readFile(file, 'utf8').catch(() => undefined);
  if (there === text) return { file, added: false };
  if (there !== undefined) throw new ConfigError(`cannot add ${result.run} to the history: ${file} is another run`);
  makeFolder(folder);
  await replaceFile(file, text);
  return { file, added: true };
}

/** The file of the newest run of a commit, by anything that git resolves to one; undefined if there is none. */
export async function runOfCommit(
  project: string,
  nights: readonly HistoryNight[],
  ref: string,
): Promise<string | undefined> {
  const parsed = await git(project, 'rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`);
  if (parsed.failed) return undefined;
  const sha = parsed.stdout.trim();
  return nights.findLast(({ night: { git } }) => git?.sha === sha && !git.dirty)?.file;
}

/** The run's name comes from a file: it must not lead to another folder. */
function fileName(run: string): string {
  return run.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^\.+/, '');
}
