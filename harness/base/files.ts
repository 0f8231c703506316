import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { access, type FileHandle, open, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Writes a file so that a reader finds the old one or the new one, whole, also after a power cut. Nothing else is left. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, content, { flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a folder and those above it, one after the other. Node's own way says ENOENT of a read-only file system, and never
 * comes back from /proc.
 * @throws what the operating system says of the first that cannot be made.
 */
export function makeFolder(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const at of missing) {
    try {
      mkdirSync(at, { mode });
    } catch (error) {
      // Somebody else was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * A file with this in it and without a name, so that nothing of it is left whatever becomes of this process. A program whose
 * input it is can open it again as `/dev/stdin`, which it cannot a pipe of Node's: that is a socket.
 */
export async function namelessFile(content: string): Promise<FileHandle> {
  const path = join(tmpdir(), `harness-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  await file.writeFile(content);
  return file;
}

/** Whether there is something at a path that we may look at. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Where a path is below a folder, with `/`, and `` for the folder itself; undefined where it is not. A relative path is the folder's. */
export function placeBelow(folder: string, path: string): string | undefined {
  const place = relative(folder, resolve(folder, path));
  return place === '..' || place.startsWith(`..${sep}`) || isAbsolute(place) ? undefined : place.split(sep).join('/');
}
