import { randomUUID } from 'node:crypto';
import { access, rename, writeFile } from 'node:fs/promises';

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
