import { randomUUID } from 'node:crypto';
import { access, rename, writeFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';

/** Writes a file so that whoever reads it meanwhile finds the old one or the new one, whole. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
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
