import { resolve } from 'node:path';
import { execa } from 'execa';
import { placeBelow } from '../base/files.ts';
import type { RunStarted } from '../events/types.ts';

/** What a project's folder holds. */
export type GitState = NonNullable<RunStarted['git']>;

const git = (folder: string, ...args: string[]) =>
  execa('git', ['-C', folder, ...args], { reject: false, stdin: 'ignore' });

/** The commit that a folder is at; undefined where there is none. */
export async function gitState(folder: string): Promise<GitState | undefined> {
  const head = await git(folder, 'rev-parse', '--verify', 'HEAD');
  if (head.failed) return undefined;
  const status = await git(folder, 'status', '--porcelain', '--untracked-files=no');
  return { sha: head.stdout.trim(), dirty: status.stdout !== '' };
}

/**
 * What tells a folder's path, with `/`, in the repository that a project is in, or in a project that is in none; undefined
 * for one that is elsewhere, and for what a package manager has put there.
 */
export async function pathsInRepository(project: string): Promise<(folder: string) => string | undefined> {
  const up = await git(project, 'rev-parse', '--show-cdup');
  const root = up.failed ? project : resolve(project, up.stdout.trim());
  return (folder) => {
    const path = placeBelow(root, folder);
    return path?.split('/').includes('node_modules') ? undefined : path;
  };
}
