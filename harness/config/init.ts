import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { templates } from './templates.ts';

/**
 * Writes a first matrix and a suite that passes into a folder.
 * @returns the files written, relative to the folder.
 * @throws ConfigError when any of them exists; nothing has been written then.
 */
export async function initProject(folder: string): Promise<string[]> {
  const taken: string[] = [];
  for (const { path } of templates) {
    const found = await access(join(folder, path)).then(
      () => true,
      () => false,
    );
    if (found) taken.push(path);
  }
  if (taken.length > 0) {
    throw new ConfigError(
      `cannot write a first project: ${taken.join(', ')} ${taken.length === 1 ? 'exists' : 'exist'} already`,
      {
        hint: 'nothing was written; run it in another folder, or move these files away',
      },
    );
  }
  for (const { path, text } of templates) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    // `wx`: whatever came into being since then is not overwritten either.
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  return templates.map(({ path }) => path);
}
