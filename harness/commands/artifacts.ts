import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import picomatch from 'picomatch';
import { messageOf } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { formatBytes, printable } from '../base/text.ts';
import type { Target } from '../targets/target.ts';
import { fetchFile, listFiles, type RemoteFile } from './files.ts';
import type { Workspace } from './workspace.ts';

/** Limits of artifacts from a machine, in files and in bytes. */
export const ARTIFACT_LIMITS = { files: 500, bytes: 256 * 2 ** 20 } as const;

/** The artifacts of a machine. */
export interface Artifacts {
  /** Absolute paths on this host. */
  readonly files: readonly string[];
  /** What is missing and why, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * Copies files of a machine into a folder, under their names there.
 * @param patterns relative to the source folder of the workspace.
 */
export async function fetchArtifacts(
  target: Target,
  workspace: Workspace,
  patterns: readonly string[],
  folder: string,
  deadlineMs: number,
): Promise<Artifacts> {
  const found = await listFiles(target, workspace, patterns, deadlineMs);
  const problems = patterns
    .filter((pattern) => !found.some(({ name }) => picomatch.isMatch(name, pattern, { dot: true })))
    .map((pattern) => `the artifacts ${pattern} are not there: no file matches`);
  const files: string[] = [];
  let left: number = ARTIFACT_LIMITS.bytes;
  for (const [index, file] of found.entries()) {
    const why = whyNot(file, index, left);
    const fetched = why === undefined ? await fetchFile(target, workspace, file.path, left, deadlineMs) : { why };
    const place = join(folder, file.name);
    const problem = 'why' in fetched ? fetched.why : await keep(place, fetched.bytes);
    if (problem !== undefined) problems.push(`the artifact ${printable(file.name)} was not brought back: ${problem}`);
    else files.push(place);
    if (index >= ARTIFACT_LIMITS.files) break;
    if ('bytes' in fetched) left -= fetched.bytes.byteLength;
  }
  return { files, problems };
}

/** @returns why it could not be written: a machine may have names that are invalid on this host. */
async function keep(place: string, content: Buffer): Promise<string | undefined> {
  try {
    makeFolder(dirname(place));
    await writeFile(place, content);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function whyNot({ name, bytes }: RemoteFile, index: number, left: number): string | undefined {
  // A machine's file names are untrusted: each has to be a printable path below the folder.
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'its name is no path below the folder';
  if (printable(name) !== name || name.includes('\ufffd')) return 'its name has characters that cannot be printed';
  if (index >= ARTIFACT_LIMITS.files) return `there are more than ${ARTIFACT_LIMITS.files} files`;
  if (bytes > left) return `all together are larger than ${formatBytes(ARTIFACT_LIMITS.bytes)}`;
  return undefined;
}
