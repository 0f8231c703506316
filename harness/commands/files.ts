import picomatch from 'picomatch';
import { InfraError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import type { Target } from '../targets/target.ts';

/** A file on a machine that matches a pattern. */
export interface RemoteFile {
  /** Absolute, on the machine. */
  readonly path: string;
  /** Below the folder that patterns are relative to; of an absolute pattern the absolute path. */
  readonly name: string;
  readonly bytes: number;
}

/** Bytes of a listing: a machine may say that it has any number of files. */
const MAX_LISTING = 8 * 2 ** 20;
/** Bytes of a file that are fetched at a time: base64 of them is one command's output. */
const PIECE = 8 * 2 ** 20;

const LIST = `
if [ -d "$1" ]; then find "$1" -xdev -type f -printf '%s %p\\0' 2>/dev/null | head -c "$2" | base64 -w0; fi
`;

/**
 * The files of a machine that match patterns, sorted; symbolic links are neither followed nor listed.
 * @param folder what patterns that are not absolute are relative to.
 * @throws InfraError when the machine lists more than can be looked at.
 */
export async function listFiles(
  target: Target,
  folder: string,
  patterns: readonly string[],
  deadlineMs: number,
): Promise<RemoteFile[]> {
  const found = new Map<string, RemoteFile>();
  for (const pattern of patterns) {
    const absolute = pattern.startsWith('/');
    const { base } = picomatch.scan(pattern);
    const inside = base === '' || base === '.' ? folder : absolute ? base : `${folder}/${base}`;
    // A pattern without wildcards is all base.
    const place = base === pattern ? inside.replace(/\/[^/]*$/, '') || '/' : inside;
    const result = await target.exec(['sh', '-c', LIST, 'list', place, String(MAX_LISTING)], { deadlineMs });
    if (result.exitCode !== 0)
      throw new InfraError(`cannot list ${place} on the machine: ${lastLines(result.stderr, 1)[0] ?? result.exitCode}`);
    const listing = Buffer.from(result.stdout, 'base64');
    if (listing.byteLength >= MAX_LISTING)
      throw new InfraError(`cannot list ${place} on the machine: there are too many files`, {
        hint: `Begin the pattern ${pattern} with a smaller folder.`,
      });
    const matches = picomatch(pattern, { dot: true });
    for (const entry of listing.toString().split('\0')) {
      const [, bytes, path = ''] = /^(\d+) (\/.*)$/s.exec(entry) ?? [];
      if (bytes === undefined) continue;
      const name = absolute ? path : path.slice(folder.length + 1);
      if (matches(name)) found.set(path, { path, name, bytes: Number(bytes) });
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What the shell says of a file that is not there: none of its programs does. */
const NOT_THERE = 44;
const PIECE_OF = '[ -f "$1" ] || exit 44; tail -c +"$2" -- "$1" | head -c "$3" | base64 -w0';

/**
 * A file of a machine, whole.
 * @param limitBytes what it may have.
 * @returns undefined when it is larger.
 */
export async function fetchFile(
  target: Target,
  path: string,
  limitBytes: number,
  deadlineMs: number,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  for (let size = 0; size <= limitBytes; ) {
    const want = Math.min(PIECE, limitBytes + 1 - size);
    const argv = ['sh', '-c', PIECE_OF, 'fetch', path, String(size + 1), String(want)];
    const { exitCode, stdout, stderr } = await target.exec(argv, { deadlineMs });
    if (exitCode !== 0) {
      const why = exitCode === NOT_THERE ? 'it is not there' : (lastLines(stderr, 1)[0] ?? `exit code ${exitCode}`);
      throw new InfraError(`cannot fetch ${path} from the machine: ${why}`);
    }
    const piece = Buffer.from(stdout, 'base64');
    pieces.push(piece);
    size += piece.byteLength;
    if (piece.byteLength < want) return Buffer.concat(pieces);
  }
  return undefined;
}

/** Removes files from a machine. */
export async function removeFiles(target: Target, paths: readonly string[], deadlineMs: number): Promise<void> {
  if (paths.length === 0) return;
  await target.exec(['xargs', '-0', 'rm', '-f', '--'], { deadlineMs, stdin: paths.join('\0') });
}
