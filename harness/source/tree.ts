import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { formatBytes } from '../base/text.ts';
import { listSource } from './list.ts';

/** A file or a symbolic link of a project's source. */
export interface SourceEntry {
  /** Below the source folder, with `/`. */
  readonly path: string;
  /** Digest of content, mode and kind. */
  readonly digest: string;
  readonly bytes: number;
}

/** A project's source as it is now. */
export interface SourceTree {
  /** Absolute. */
  readonly folder: string;
  readonly entries: readonly SourceEntry[];
  /** Files left out, with the reason, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the source of a project: every file's mode and content, and symbolic links that stay inside it.
 * @param limitBytes limit of the total size.
 * @param whole take everything, even what git ignores.
 * @throws ConfigError if there is nothing, or too much: it names the largest files.
 */
export async function readSource(folder: string, limitBytes: number, whole = false): Promise<SourceTree> {
  const paths = await listSource(folder, whole);
  const stats = await eachOf(paths, async (path) => ({ path, stat: await lstat(join(folder, path)) }));
  checkSize(folder, stats, limitBytes);
  const warnings: string[] = [];
  const entries = await eachOf(stats, async ({ path, stat }): Promise<SourceEntry | undefined> => {
    const file = join(folder, path);
    if (stat.isSymbolicLink()) {
      const to = await readlink(file);
      if (!leadsOut(path, to)) return { path, digest: digestOf('link', to), bytes: 0 };
      warnings.push(`${path} was left out: it is a link to ${to}, outside of the source folder`);
    } else if (stat.isFile()) {
      const mode = stat.mode & 0o111 ? 'executable' : 'file';
      return { path, digest: digestOf(mode, await contentDigest(file)), bytes: stat.size };
    } else warnings.push(`${path} was left out: it is neither a file nor a link`);
    return undefined;
  });
  const found = entries.filter((entry) => entry !== undefined);
  if (found.length === 0)
    throw new ConfigError(`cannot copy the source folder ${folder}: there is nothing in it`, {
      hint: 'Name another folder with --source, or copy none with --no-source.',
    });
  return { folder, entries: found, warnings: warnings.sort() };
}

function digestOf(kind: string, content: string): string {
  return createHash('sha256').update(kind).update('\0').update(content).digest('hex');
}

async function contentDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Whether a link at `path` leads out of the tree. */
function leadsOut(path: string, to: string): boolean {
  const place = normalize(join(dirname(path), to));
  return isAbsolute(to) || place === '..' || place.startsWith('../');
}

function checkSize(
  folder: string,
  stats: readonly { readonly path: string; readonly stat: { readonly size: number } }[],
  limitBytes: number,
): void {
  const total = stats.reduce((sum, { stat }) => sum + stat.size, 0);
  if (total <= limitBytes) return;
  // By the first part of the path: a folder of many small files is as large as one big file.
  const sizes = new Map<string, number>();
  for (const { path, stat } of stats) {
    const top = path.includes('/') ? `${path.slice(0, path.indexOf('/'))}/` : path;
    sizes.set(top, (sizes.get(top) ?? 0) + stat.size);
  }
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 5);
  throw new ConfigError(
    `cannot copy the source folder ${folder}: it holds ${formatBytes(total)} in ${stats.length} files, and at most ${formatBytes(limitBytes)} are copied; largest: ${largest.map(([path, bytes]) => `${path} ${formatBytes(bytes)}`).join(', ')}`,
    {
      hint: 'Add files that the tests do not need to .gitignore, copy a smaller folder (--source DIR), or raise limits.source-mib of the matrix.',
    },
  );
}

/** A few at a time: a large source would open too many files. Keeps the order. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const next = items.entries();
  const worker = async () => {
    for (const [index, item] of next) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return results;
}
