import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../base/process.ts';
import { filesOf, type PackedFile, pack, packedEntry, unpack } from './pack.ts';
import type { RemoteCache } from './remote.ts';

/** Milliseconds that a file may take. */
const FILE_MS = 30 * 60_000;

/** The exit code by which a program says that there is no such file. */
const ABSENT = 44;

/**
 * A remote cache behind a program of yours, for `rclone`, `aws s3`, `gsutil`: it is called as `PROGRAM get NAME FILE` and
 * `PROGRAM put NAME FILE`. It exits with 44 for a name that there is not. What says which files an entry has is put last, so
 * that an entry is there whole, or not at all.
 */
export function commandCache(program: string): RemoteCache {
  const call = async (verb: 'get' | 'put', name: string, file: string, signal?: AbortSignal) => {
    const { exitCode } = await run(['sh', '-c', `exec ${program} "$@"`, 'cache', verb, name, file], {
      purpose: `${verb} ${name} by ${program}`,
      timeout: FILE_MS,
      ...(verb === 'get' ? { allow: [ABSENT] } : {}),
      ...(signal ? { cancelSignal: signal } : {}),
    });
    return exitCode !== ABSENT;
  };
  return {
    name: program,
    async get(kind, key, folder, signal) {
      return inTemporary(async (temporary) => {
        const list = join(temporary, 'entry.json');
        if (!(await call('get', `${kind}-${key}/entry.json`, list, signal))) return false;
        const { files } = packedEntry.parse(JSON.parse(await readFile(list, 'utf8')));
        for (const file of files) {
          const place = join(temporary, file.digest);
          if (!(await call('get', `${kind}-${key}/${file.digest}`, place, signal))) return false;
          await unpack(createReadStream(place), file, folder, signal);
          await rm(place);
        }
        return true;
      });
    },
    async put({ kind, key, folder }, signal) {
      await inTemporary(async (temporary) => {
        const list = join(temporary, 'entry.json');
        if (await call('get', `${kind}-${key}/entry.json`, list, signal)) return;
        const files: PackedFile[] = [];
        for (const path of await filesOf(folder)) {
          const place = join(temporary, 'packed');
          const file = await pack(folder, path, place, signal);
          await call('put', `${kind}-${key}/${file.digest}`, place, signal);
          files.push(file);
        }
        await writeFile(list, `${JSON.stringify({ version: 1, files })}\n`);
        await call('put', `${kind}-${key}/entry.json`, list, signal);
      });
    },
  };
}

async function inTemporary<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-cache-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
