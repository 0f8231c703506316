import { join } from 'node:path';
import type { Accounts } from './accounts.ts';
import type { CpioEntry } from './cpio.ts';
import { fileSteps, type ImageFile } from './files.ts';

/** Where a guest's init finds the suite's files, and the script that puts them on its disk. */
const FOLDER = 'stack';

/** Bytes of files that travel together: they are in the guest's memory twice while it boots. */
const MOST = 8 * 2 ** 20;

/**
 * Divides the files of a suite: those that the guest's init puts on the disk at the first boot, so that one that changes
 * costs no new disk, and the largest, which are on the disk if all are too much.
 */
export function divideFiles(files: readonly ImageFile[]): {
  readonly travelling: readonly ImageFile[];
  readonly onDisk: readonly ImageFile[];
} {
  const bytes = (file: ImageFile) => ('content' in file ? file.content.length : 0);
  const travelling = new Set<ImageFile>();
  let sum = 0;
  for (const file of files.toSorted((a, b) => bytes(a) - bytes(b))) {
    sum += bytes(file);
    if (sum <= MOST) travelling.add(file);
  }
  return {
    travelling: files.filter((file) => travelling.has(file)),
    onDisk: files.filter((file) => !travelling.has(file)),
  };
}

/** The commands that the script uses, which in an initramfs are one program's. */
const APPLETS = ['chmod', 'chown', 'cp', 'ln', 'mkdir', 'rm'];

/**
 * What an initramfs brings of a suite's files: `/stack/place` puts them below `/root`.
 * @throws ConfigError naming a user or group that the disk does not have.
 */
export function broughtFiles(files: readonly ImageFile[], accounts: Accounts): CpioEntry[] {
  if (files.length === 0) return [];
  const place = [
    'set -e',
    ...APPLETS.map((applet) => `${applet}() { /bin/busybox ${applet} "$@"; }`),
    ...fileSteps(files, { root: '/root', contents: `/${FOLDER}`, accounts }),
  ];
  const contents = files.flatMap((file, index) =>
    'content' in file ? [{ path: join(FOLDER, String(index)), content: file.content }] : [],
  );
  return [{ path: FOLDER, folder: true }, ...contents, { path: join(FOLDER, 'place'), content: place.join('\n') }];
}
