import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { exists } from '../../base/files.ts';
import { hasYamlFile, yamlName } from '../../yaml/yaml-file.ts';

/** The folders of a user's matrices and suites, absolute; they need not exist. */
export interface Project {
  readonly root: string;
  readonly matrices: string;
  readonly suites: string;
}

/**
 * The project of a folder: the closest folder upwards that contains `matrices/` or `suites/`. The search ends at the
 * root of a git repository, so that nothing above a clone is included; if nothing is found, the folder itself is the
 * root.
 */
export async function findProject(cwd: string): Promise<Project> {
  const start = resolve(cwd);
  for (let folder = start; ; folder = dirname(folder)) {
    if ((await isFolder(join(folder, 'matrices'))) || (await isFolder(join(folder, 'suites')))) return project(folder);
    // `.git` is a file in a worktree.
    if ((await exists(join(folder, '.git'))) || dirname(folder) === folder) return project(start);
  }
}

function project(root: string): Project {
  return { root, matrices: join(root, 'matrices'), suites: join(root, 'suites') };
}

/** The folder of a suite: that of the first of `folders` that has it, or undefined. */
export async function findSuite(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    if (await hasYamlFile(join(folder, name), 'suite')) return join(folder, name);
  }
  return undefined;
}

/** The names of all suites in some folders, sorted; a folder that does not exist holds none. */
export async function listSuites(folders: readonly string[]): Promise<string[]> {
  const names = new Set<string>();
  for (const folder of folders) {
    for (const name of await entries(folder)) {
      if (await hasYamlFile(join(folder, name), 'suite')) names.add(name);
    }
  }
  return [...names].sort();
}

/** The matrices in a folder by name, sorted: `quickstart` for `quickstart.yaml`. */
export async function listMatrices(folder: string): Promise<string[]> {
  return [...new Set((await entries(folder)).flatMap((file) => yamlName(file) ?? []))];
}

async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
