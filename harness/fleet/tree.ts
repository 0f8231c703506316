import { createHash } from 'node:crypto';
import { copyFile, lstat, readlink, realpath, rename, rm, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InfraError, messageOf } from '../base/errors.ts';
import { exists, makeFolder, placeBelow } from '../base/files.ts';
import { run } from '../base/process.ts';
import { readSource } from '../source/tree.ts';

/** A copy of a project that nodes run. */
export interface PlacedTree {
  readonly folder: string;
  /** Where a path of the project is in it; undefined: it is not of the project, or was not copied. */
  pathOf(path: string): string | undefined;
}

/**
 * Puts a project's working tree where nodes find it: under a name of what it holds, so that what is edited meanwhile changes no
 * run, and a second run of the same tree copies nothing. Nodes need no git. Installed packages are not copied: a link leads
 * to them.
 * @param limitBytes what its files may have together.
 */
export async function placeTree(project: string, shared: string, limitBytes: number): Promise<PlacedTree> {
  const { entries } = await readSource(project, limitBytes);
  const modules = await realpath(join(project, 'node_modules')).catch(() => undefined);
  const key = createHash('sha256')
    .update(JSON.stringify([entries, modules]))
    .digest('hex')
    .slice(0, 20);
  const folder = join(shared, 'trees', key);
  const copied = new Set(entries.map(({ path }) => path));
  const pathOf = (path: string) => {
    const place = placeBelow(project, path);
    return place !== undefined && copied.has(place) ? join(folder, place) : undefined;
  };
  if (await exists(folder)) {
    await touch(folder);
    return { folder, pathOf };
  }
  const partial = `${folder}.${process.pid}.partial`;
  try {
    for (const { path } of entries) {
      const [from, to] = [join(project, path), join(partial, path)];
      makeFolder(dirname(to));
      if ((await lstat(from)).isSymbolicLink()) await symlink(await readlink(from), to);
      else await copyFile(from, to);
    }
    if (modules !== undefined) await symlink(modules, join(partial, 'node_modules'));
    await rename(partial, folder);
  } catch (cause) {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    // Another run may have been quicker with the same tree.
    if (!(await exists(folder)))
      throw new InfraError(`cannot copy the project to ${folder}: ${messageOf(cause)}`, {
        cause,
        hint: 'shared: of the engine in machines.yaml names a folder that this machine can write to.',
      });
  }
  return { folder, pathOf };
}

/** Shows that it is in use, to whoever removes what is not. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

/**
 * Makes one file of a copy of a project, for an engine that moves files.
 * @returns the archive's path, beside the copy.
 */
export async function packTree(folder: string): Promise<string> {
  const archive = `${folder}.tar`;
  if (await exists(archive)) {
    await touch(archive);
    return archive;
  }
  const partial = `${folder}.${process.pid}.tar.partial`;
  await run(['tar', '-cf', partial, '-C', folder, '.'], { purpose: `pack the project in ${folder}` });
  await rename(partial, archive);
  return archive;
}
