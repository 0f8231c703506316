import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Suite } from '../../config/suite.ts';
import type { PlainFile } from '../../images/files.ts';

/** Plain files of a suite with what is in them. */
export function plainFilesOf(suite: Suite, files: Suite['stack']['images'][number]['files']): Promise<PlainFile[]> {
  return Promise.all(
    files.map(async (file) => ({ path: file.path, mode: file.mode, content: await contentOf(suite, file) })),
  );
}

/** What is in a file: written out, or of the suite's folder. */
export async function contentOf(
  { folder }: Suite,
  { from, content }: { readonly from?: string | undefined; readonly content?: string | undefined },
): Promise<Buffer> {
  return from === undefined ? Buffer.from(content ?? '') : readFile(join(folder, from));
}
