import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../base/files.ts';
import { shellQuote } from '../base/text.ts';
import { type Accounts, idsOf } from './accounts.ts';

/** Owner and group, by name or number; absent: root. */
export interface Owned {
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** A file with what is in it. */
export interface PlainFile extends Owned {
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits, octal: `0644`. */
  readonly mode: string;
}

/** Something that a suite puts into a file system, or wants not to be there. */
export type ImageFile =
  | PlainFile
  | ({ readonly path: string; readonly folder: true; readonly mode: string } & Owned)
  /** A symbolic link, and where it leads. */
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly absent: true };

/** Where files are put, and from where. */
export interface Placing {
  /** The root of the file system, as the script writes it: quoted, or `"$1"`. */
  readonly root: string;
  /** Where `writeContents` has put what is in them, as the script sees it. */
  readonly contents: string;
  /** Users and groups of that file system. */
  readonly accounts: Accounts;
}

/**
 * Lines of sh that put files into a file system, for this machine's shell as for busybox. A link that a package may
 * have put where a file is expected is replaced, not followed.
 * @throws ConfigError naming a user or group that the file system does not have.
 */
export function fileSteps(files: readonly ImageFile[], { root, contents, accounts }: Placing): string[] {
  return files.flatMap((file, index) => {
    const at = `${root}${shellQuote(file.path)}`;
    if ('absent' in file) return [`rm -rf ${at}`];
    const parent = `mkdir -p ${root}${shellQuote(dirname(file.path))}`;
    if ('link' in file) return [parent, `rm -f ${at}`, `ln -s ${shellQuote(file.link)} ${at}`];
    const { uid, gid } = idsOf(file, accounts);
    const own = uid === 0 && gid === 0 ? [] : [`chown ${uid}:${gid} ${at}`];
    if ('folder' in file) return [`mkdir -p ${at}`, ...own, `chmod ${file.mode} ${at}`];
    // chown takes setuid bits away, so the mode comes last.
    const copy = `cp ${shellQuote(join(contents, String(index)))} ${at}`;
    return [parent, `rm -f ${at}`, copy, ...own, `chmod ${file.mode} ${at}`];
  });
}

/** Writes what is in files into a folder, for `fileSteps` on the same list. */
export async function writeContents(files: readonly ImageFile[], folder: string): Promise<void> {
  makeFolder(folder);
  for (const [index, file] of files.entries())
    if ('content' in file) await writeFile(join(folder, String(index)), file.content);
}

/** What stands for files in a key. */
export function digests(files: readonly ImageFile[]): unknown {
  return files.map((file) => {
    if (!('content' in file)) return file;
    const { path, mode, owner, group, content } = file;
    const own = owner === undefined && group === undefined ? [] : [owner ?? 'root', group ?? 'root'];
    return [path, mode, createHash('sha256').update(content).digest('hex'), ...own];
  });
}
