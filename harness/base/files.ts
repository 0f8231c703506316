import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { access, type FileHandle, open, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * Writes a file atomically: a reader finds the old or the new content, whole, even after a power cut. Leaves no other
 * files.
 */
export async function replaceFile(path: string, content: string | Uint8Array | Iterable<string>): Promise<void> {
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
 * Makes a folder and its parents, one after the other. Node's own `recursive` says ENOENT on a read-only file system,
 * and never returns for /proc.
 * @throws the operating system's error for the first folder that cannot be made.
 */
export function makeFolder(path: string, mode = 0o777): void {
  const missing: string[] = [];
  // Says that something else is there.
  if (existsSync(path) && !statSync(path).isDirectory()) mkdirSync(path);
  for (let at = path; !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const at of missing) {
    try {
      mkdirSync(at, { mode });
    } catch (error) {
      // Another process made it first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * A nameless file with this content, so that nothing is left if this process dies. A program that has it as its input
 * can reopen it as `/dev/stdin`, unlike a pipe of Node's, which is a socket.
 */
export async function namelessFile(content: string): Promise<FileHandle> {
  const path = join(tmpdir(), `harness-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  await file.writeFile(content);
  return file;
}

/** Whether a path exists and we may access it. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * A path relative to a folder, with `/`, `` for the folder itself; undefined if it is outside. A relative path starts
 * at the folder.
 */
export function placeBelow(folder: string, path: string): string | undefined {
  const place = relative(folder, resolve(folder, path));
  return place === '..' || place.startsWith(`..${sep}`) || isAbsolute(place) ? undefined : place.split(sep).join('/');
}
