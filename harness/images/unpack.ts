import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../base/files.ts';
import { run } from '../base/process.ts';
import { type ReleaseName, releases } from '../releases/index.ts';

/** How packages are unpacked. */
export interface Unpack {
  readonly release: ReleaseName;
  /** Their files. */
  readonly archives: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks packages into a folder, without their maintainer scripts. If a release has everything below `usr`, the links
 * to it are made first: only an installation makes them, and `/bin/sh` and the dynamic loader depend on them.
 */
export async function unpack(root: string, { release, archives, signal }: Unpack): Promise<void> {
  makeFolder(root);
  for (const name of releases[release].intoUsr) {
    makeFolder(join(root, 'usr', name));
    await symlink(`usr/${name}`, join(root, name));
  }
  const cancel = signal ? { cancelSignal: signal } : {};
  for (const archive of archives)
    await run(['dpkg-deb', '--extract', archive, root], { purpose: `unpack ${archive}`, ...cancel });
}
