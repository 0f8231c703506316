import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, makeFolder } from '../../base/files.ts';
import { filesOf, type PackedFile, pack, packedEntry, unpack } from './pack.ts';
import type { RemoteCache } from './remote.ts';

/** What says which files an entry has; it is there once they are. */
const MANIFEST = 'entry.json';

/**
 * A remote cache in a shared folder: `file:///lustre/harness`. An entry is a folder, made under a temporary name and
 * renamed. Reading an entry updates its time, so that the least recently used ones can be removed.
 */
export function fileCache(root: string): RemoteCache {
  const folderOf = (kind: string, key: string) => join(root, `${kind}-${key}`);
  return {
    name: root,
    async get(kind, key, folder, signal) {
      const from = folderOf(kind, key);
      const text = await readFile(join(from, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return false;
      const now = new Date();
      await utimes(from, now, now).catch(() => {});
      const { files } = packedEntry.parse(JSON.parse(text));
      for (const file of files) await unpack(createReadStream(join(from, file.digest)), file, folder, signal);
      return true;
    },
    async put({ kind, key, folder }, signal) {
      const to = folderOf(kind, key);
      if (await exists(join(to, MANIFEST))) return;
      makeFolder(root);
      const partial = await mkdtemp(`${to}.partial-`);
      try {
        const files: PackedFile[] = [];
        for (const path of await filesOf(folder)) {
          const temporary = join(partial, 'packing');
          const file = await pack(folder, path, temporary, signal);
          await rename(temporary, join(partial, file.digest));
          files.push(file);
        }
        await writeFile(join(partial, MANIFEST), `${JSON.stringify({ version: 1, files })}\n`);
        await rename(partial, to).catch(async (error: unknown) => {
          // Somebody else was quicker.
          if (!(await exists(join(to, MANIFEST)))) throw error;
        });
      } finally {
        await rm(partial, { recursive: true, force: true }).catch(() => {});
      }
    },
  };
}
