import { posix } from 'node:path';
import picomatch from 'picomatch';
import { InfraError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import type { Target } from '../targets/target.ts';
import { asUser, type Workspace } from './workspace.ts';

/** A file on a machine that matches a pattern. */
export interface RemoteFile {
  /** Absolute, on the machine. */
  readonly path: string;
  /** Relative to the source folder; for an absolute pattern the absolute path. */
  readonly name: string;
  readonly bytes: number;
}

/** Limit of a listing, in bytes: a machine may claim any number of files. */
const MAX_LISTING = 8 * 2 ** 20;
/** Bytes fetched at a time; their base64 is one command's output. */
const PIECE = 8 * 2 ** 20;

/**
 * Files below a path, or the file itself. If a folder on the way is a link out of the required folder, nothing is
 * found.
 */
const LIST = `
top=$1 place=$2 limit=$3
if [ -d "$place" ]; then
  cd -P -- "$place" 2>/dev/null || exit 0
  set -- .
else
  cd -P -- "$(dirname -- "$place")" 2>/dev/null || exit 0
  set -- "./$(basename -- "$place")" -maxdepth 0
fi
case $(pwd -P)/ in "$(cd -P -- "$top" && pwd -P)"/*) ;; *) [ "$top" = / ] || exit 0 ;; esac
find "$@" -xdev -type f -printf '%s %p\\0' 2>/dev/null | head -c "$limit" | base64 -w0
`;

/**
 * The files of a machine that match patterns, sorted, as far as the user of the workspace can see them; symbolic links
 * are neither followed nor listed.
 * @param patterns relative to the source folder of the workspace, or absolute.
 * @throws InfraError if the machine lists too many.
 */
export async function listFiles(
  target: Target,
  workspace: Workspace,
  patterns: readonly string[],
  deadlineMs: number,
): Promise<RemoteFile[]> {
  const folder = `${workspace.base}/source`;
  const found = new Map<string, RemoteFile>();
  for (const given of patterns) {
    const pattern = posix.normalize(given);
    const absolute = pattern.startsWith('/');
    const { base, isGlob } = picomatch.scan(pattern);
    // A backslash escapes a character of a pattern.
    const start = base.replaceAll(/\\(.)/g, '$1');
    const place = absolute ? start || '/' : posix.join(folder, start);
    const argv = asUser(workspace, LIST, ['list', absolute ? '/' : folder, place, String(MAX_LISTING)]);
    const result = await target.exec(argv, { deadlineMs });
    if (result.exitCode !== 0)
      throw new InfraError(`cannot list ${place} on the machine: ${lastLines(result.stderr, 1)[0] ?? result.exitCode}`);
    const listing = Buffer.from(result.stdout, 'base64');
    if (listing.byteLength >= MAX_LISTING)
      throw new InfraError(`cannot list ${place} on the machine: there are too many files`, {
        hint: `Begin the pattern ${pattern} with a smaller folder.`,
      });
    const matches = picomatch(pattern, { dot: true });
    for (const entry of listing.toString().split('\0')) {
      const [, bytes, below] = /^(\d+) \.\/(.+)$/s.exec(entry) ?? [];
      if (bytes === undefined) continue;
      // Not normalised: a machine's names are checked where they are used.
      const path = `${(isGlob ? place : posix.dirname(place)).replace(/\/$/, '')}/${below}`;
      const name = absolute ? path : path.slice(folder.length + 1);
      if (matches(name)) found.set(path, { path, name, bytes: Number(bytes) });
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The shell's own message for a missing file. */
const NOT_THERE = 44;
const PIECE_OF = `
if [ ! -f "$1" ] || [ -L "$1" ]; then exit ${NOT_THERE}; fi
exec 3<"$1" || exit 1
tail -c +"$2" <&3 | head -c "$3" | base64 -w0
`;

/** The content of a machine's file, or why it was not fetched. */
export type Fetched = { readonly bytes: Buffer } | { readonly why: string };

/**
 * Fetches a file of a machine, as the user of the workspace.
 * @param limitBytes its largest size.
 * @throws InfraError when the machine is lost.
 */
export async function fetchFile(
  target: Target,
  workspace: Workspace,
  path: string,
  limitBytes: number,
  deadlineMs: number,
): Promise<Fetched> {
  const pieces: Buffer[] = [];
  for (let size = 0; size <= limitBytes; ) {
    const want = Math.min(PIECE, limitBytes + 1 - size);
    const argv = asUser(workspace, PIECE_OF, ['fetch', path, String(size + 1), String(want)]);
    const { exitCode, stdout, stderr } = await target.exec(argv, { deadlineMs });
    if (exitCode === NOT_THERE) return { why: 'it is not there' };
    if (exitCode !== 0)
      return { why: `it cannot be read: ${lastLines(stderr, 1)[0]?.replace(/^.*: /, '') ?? `exit code ${exitCode}`}` };
    const piece = Buffer.from(stdout, 'base64');
    pieces.push(piece);
    size += piece.byteLength;
    if (piece.byteLength < want) return { bytes: Buffer.concat(pieces) };
  }
  return { why: 'it is too large' };
}

/** Removes files from a machine, as the user of the workspace. */
export async function removeFiles(
  target: Target,
  workspace: Workspace,
  paths: readonly string[],
  deadlineMs: number,
): Promise<void> {
  if (paths.length === 0) return;
  await target.exec(asUser(workspace, 'xargs -0 rm -f --', ['remove']), { deadlineMs, stdin: paths.join('\0') });
}
