import { rm } from 'node:fs/promises';
import { run } from '../base/process.ts';

/** argv under which a command sees itself as root: as it is for root, else in a user namespace. */
export function asRoot(argv: readonly string[]): string[] {
  return process.getuid?.() === 0 ? [...argv] : ['unshare', '--map-root-user', '--map-auto', '--', ...argv];
}

/** Removes a folder in which a build may have left files of users that only its namespace has. */
export async function removeBuild(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() =>
    run(asRoot(['rm', '-rf', '--', folder]), { purpose: `remove ${folder}` }),
  );
}
