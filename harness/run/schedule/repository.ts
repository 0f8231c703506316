import { dirname, join, resolve } from 'node:path';
import { exists, placeBelow } from '../../base/files.ts';
import { git } from '../../base/git.ts';
import { lastLines } from '../../base/text.ts';
import type { RunStarted } from '../../events/types.ts';

/** What a project's folder holds. */
export type GitState = NonNullable<RunStarted['git']>;

/**
 * The commit that a folder is at; undefined where there is none.
 * @param warn is told, in git's words, why it does not say where there is a repository, as in one of another owner.
 */
export async function gitState(folder: string, warn: (message: string) => void): Promise<GitState | undefined> {
  const head = await git(folder, 'rev-parse', '--verify', 'HEAD');
  if (head.failed) {
    const top = await repositoryAbove(folder);
    if (top !== undefined) await git(folder, 'rev-parse', '--git-dir').then((asked) => refusal(top, asked, warn));
    return undefined;
  }
  const status = await git(folder, 'status', '--porcelain', '--untracked-files=no');
  return { sha: head.stdout.trim(), dirty: status.stdout !== '' };
}

/** The nearest folder upwards that holds `.git`, whatever git thinks of it. */
async function repositoryAbove(start: string): Promise<string | undefined> {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** A repository that git can read and that has no commit yet is not refused. */
function refusal(top: string, asked: Awaited<ReturnType<typeof git>>, warn: (message: string) => void): void {
  if (!asked.failed) return;
  const said = lastLines(asked.stderr, 20);
  const why = asked.code === 'ENOENT' ? 'git is not installed' : (said[0] ?? asked.shortMessage);
  // git names the command that makes an exception for a repository of another owner.
  const remedy = said.find((line) => line.includes('safe.directory'))?.trim();
  warn(`the commit of ${top} is not recorded: ${why}${remedy === undefined ? '' : `. Allow it: ${remedy}`}`);
}

/** The folder of the repository that a project is in; the project itself, where that is in none. */
export async function repositoryRoot(project: string): Promise<string> {
  const up = await git(project, 'rev-parse', '--show-cdup');
  return up.failed ? ((await repositoryAbove(project)) ?? project) : resolve(project, up.stdout.trim());
}

/**
 * What tells a folder's path, with `/`, in the repository that a project is in, or in a project that is in none; undefined
 * for one that is elsewhere, and for what a package manager has put there.
 */
export async function pathsInRepository(project: string): Promise<(folder: string) => string | undefined> {
  const root = await repositoryRoot(project);
  return (folder) => {
    const path = placeBelow(root, folder);
    return path?.split('/').includes('node_modules') ? undefined : path;
  };
}
