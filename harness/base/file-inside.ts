import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { didYouMean } from './nearest.ts';

/** Why a path does not name a file inside a folder; symbolic links are followed and must not lead out. */
export async function whyNotAFileOf(folder: string, from: string): Promise<string | undefined> {
  const inside = "expected a file in the suite's folder";
  const file = resolve(folder, from);
  if (from.includes('\0') || isAbsolute(from) || !file.startsWith(folder + sep)) return inside;
  try {
    if (!(await realpath(file)).startsWith((await realpath(folder)) + sep))
      return `${inside}: the link leads out of it`;
    return (await stat(file)).isFile() ? undefined : `${inside}: it is not a file`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${inside}: ${(error as Error).message}`;
    const there = (await readdir(dirname(file)).catch(() => [])).map((name) => join(dirname(from), name));
    return `${inside}: there is no such file${didYouMean(from, there)}`;
  }
}
