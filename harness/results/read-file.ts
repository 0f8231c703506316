import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf } from '../base/errors.ts';
import { type ResultsFormatName, readResults } from './index.ts';
import { DEFAULT_LIMITS, type ForeignResults, type ResultsLimits, type ResultsProblem } from './types.ts';

/** A link leads out of what came from a guest, and a pipe without a writer would block. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads a file of results, and of a large one no more than the limit. A file that is not there, is a link or no file at all,
 * or cannot be read is a problem of the results and no error.
 */
export async function readResultsFile(
  format: ResultsFormatName,
  file: string,
  limits: ResultsLimits = DEFAULT_LIMITS,
): Promise<ForeignResults> {
  try {
    await using handle = await open(file, FLAGS);
    const stats = await handle.stat();
    if (!stats.isFile()) return none('unreadable', 'it is no ordinary file');
    // One byte more than the limit says that there are more.
    const bytes = new Uint8Array(Math.min(stats.size, limits.bytes + 1));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return readResults(format, bytes.subarray(0, length), limits);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return none('missing', 'it is not there');
    if (code === 'ELOOP') return none('unreadable', 'it is a symbolic link, which is not followed');
    return none('unreadable', `it cannot be read: ${messageOf(error)}`);
  }
}

function none(kind: ResultsProblem['kind'], message: string): ForeignResults {
  return { tests: [], problems: [{ kind, severity: 'error', message }] };
}
