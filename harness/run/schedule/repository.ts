import { dirname, join, resolve } from 'node:path';
import { exists, placeBelow } from '../../base/files.ts';
import { git } from '../../base/git.ts';
import { lastLines } from '../../base/text.ts';
import type { RunStarted } from '../../events/types.ts';

/** The git state of a project's folder. */
export type GitState = NonNullable<RunStarted['git']>;

/**
 * The commit that is checked out in a folder; undefined if there is none.
 * @param warn called with git's message if there is a repository that git refuses to read, such as another user's.
 */
export async function gitState(folder: string, warn: (message: string) => void): Promise<GitState | undefined> {
  const head = await git(folder, 'rev-parse', '--verify', 'HEAD');
  if (head.failed) {
    const top = await repositoryAbove(folder);
    if (top !== undefined) await git(folder, 'rev-parse', '--git-dir').then((asked) => warnIfRefused(top, asked, warn));
    return undefined;
  }
  const status = await git(folder, 'status', '--porcelain', '--untracked-files=no');
  return { sha: head.stdout.trim(), dirty: status.stdout !== '' };
}

/** The nearest folder upwards that holds `.git`, even if git refuses to read it. */
async function repositoryAbove(start: string): Promise<string | undefined> {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Warns if git refuses to read the repository; one that merely has no commit yet is fine. */
function warnIfRefused(top: string, asked: Awaited<ReturnType<typeof git>>, warn: (message: string) => void): void {
  if (!asked.failed) return;
  const said = lastLines(asked.stderr, 20);
  const why = asked.code === 'ENOENT' ? 'git is not installed' : (said[0] ?? asked.shortMessage);
  // git's message includes the command that makes an exception for another user's repository.
  const remedy = said.find((line) => line.includes('safe.directory'))?.trim();
  warn(`the commit of ${top} is not recorded: ${why}${remedy === undefined ? '' : `. Allow it: ${remedy}`}`);
}

/** The root of the repository that a project is in; the project itself if it is in none. */
export async function repositoryRoot(project: string): Promise<string> {
  const up = await git(project, 'rev-parse', '--show-cdup');
  return up.failed ? ((await repositoryAbove(project)) ?? project) : resolve(project, up.stdout.trim());
}

/**
 * A function that gives a folder's path, with `/`, relative to the project's repository, or to the project if it is in
 * none; undefined for a folder elsewhere or below node_modules.
 */
export async function pathsInRepository(project: string): Promise<(folder: string) => string | undefined> {
  const root = await repositoryRoot(project);
  return (folder) => {
    const path = placeBelow(root, folder);
    return path?.split('/').includes('node_modules') ? undefined : path;
  };
}
