import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { git } from '../base/git.ts';

/** Folders that are never part of a project's source: what the harness and git keep for themselves. */
const NEVER = new Set(['.git', '.harness']);

/**
 * The paths of a project's source below a folder, with `/`, sorted: in a git repository what git tracks and what it does
 * not ignore, files of submodules and of nested repositories included; elsewhere everything.
 * @param whole take everything, whatever repository the folder may be in.
 * @throws ConfigError when the folder is not there, or git cannot tell.
 */
export async function listSource(folder: string, whole = false): Promise<string[]> {
  const there = await lstat(folder).catch(() => undefined);
  if (!there?.isDirectory() && !there?.isSymbolicLink())
    throw new ConfigError(
      `cannot read the source folder ${folder}: ${there ? 'it is not a folder' : 'it does not exist'}`,
    );
  if (whole) return listFolder(folder);
  const inside = await git(folder, 'rev-parse', '--is-inside-work-tree');
  if (!inside.failed && inside.stdout.trim() === 'true') return listRepository(folder);
  // A repository that git refuses, another user's for instance, must not be taken for a plain folder: it would copy what is ignored.
  if (/dubious ownership/.test(inside.stderr))
    throw new ConfigError(`cannot read the source folder ${folder}: ${inside.stderr.split('\n')[0]}`, {
      hint: `git config --global --add safe.directory ${folder}`,
    });
  return listFolder(folder);
}

async function listRepository(folder: string): Promise<string[]> {
  const listed = await git(folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
  if (listed.failed)
    throw new ConfigError(`cannot list the files of ${folder}: ${listed.stderr.split('\n')[0] || listed.shortMessage}`);
  const paths = new Set<string>();
  for (const entry of new Set(listed.stdout.split('\0'))) {
    const path = entry.replace(/\/$/, '');
    if (path === '' || isNever(path)) continue;
    const found = await lstat(join(folder, path)).catch(() => undefined);
    // A file that is tracked and was removed is not part of what one sees in the folder.
    if (!found) continue;
    // Git names a submodule or a nested repository and does not look into it.
    if (found.isDirectory())
      for (const inner of await listRepository(join(folder, path))) paths.add(`${path}/${inner}`);
    else paths.add(path);
  }
  return [...paths].sort();
}

async function listFolder(folder: string): Promise<string[]> {
  const paths: string[] = [];
  const pending = [''];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      if (NEVER.has(entry.name)) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      else paths.push(path);
    }
  }
  return paths.sort();
}

function isNever(path: string): boolean {
  return path.split('/').some((part) => NEVER.has(part));
}
