import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TempFiles extends AsyncDisposable {
  readonly folder: string;
}

/** A folder with these files for one test; removed on disposal. */
export async function tempFiles(files: Readonly<Record<string, string>> = {}): Promise<TempFiles> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'harness-config-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** The rejection of a promise, as text. */
export function rejection(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}
