import { rm } from 'node:fs/promises';
import { run } from '../base/process.ts';

/** argv to run a command as root: unchanged for root, else in a user namespace. */
export function asRoot(argv: readonly string[]): string[] {
  return process.getuid?.() === 0 ? [...argv] : ['unshare', '--map-root-user', '--map-auto', '--', ...argv];
}

/** Removes a folder that may contain files of users that exist only in a build's namespace. */
export async function removeBuild(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() =>
    run(asRoot(['rm', '-rf', '--', folder]), { purpose: `remove ${folder}` }),
  );
}
