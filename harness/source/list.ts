import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { git } from '../base/git.ts';

/** Folders that are never part of a project's source: those of the harness and git. */
const NEVER = new Set(['.git', '.harness']);

/**
 * The paths of a project's source below a folder, with `/`, sorted: in a git repository the files that git tracks or
 * does not ignore, including those of submodules and nested repositories; elsewhere everything.
 * @param whole take everything, whatever repository the folder may be in.
 * @throws ConfigError if the folder does not exist, or git fails.
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
  // A repository that git refuses, such as another user's, must not be treated as a plain folder: that would copy
  // ignored files.
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
    // A tracked file that was deleted is not part of the source.
    if (!found) continue;
    // Git lists a submodule or a nested repository without its files.
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
