import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { shellQuote } from '../base/text.ts';
import { type BuildPlace, startingFrom } from './rootfs.ts';
import { BUILD_ENVIRONMENT, type BuildStep, runSteps } from './steps.ts';

/** Where a source comes from: a folder's files, the files of a Debian source package, or the tree that `packLine` left. */
export type SourceTree =
  | { readonly folder: string; readonly entries: readonly { readonly path: string }[] }
  | { readonly package: string }
  | { readonly packed: string };

/** A system in which commands run in a source folder. */
export interface SourcePlace extends BuildPlace {
  /** Its root file system, a tar file. */
  readonly rootfs: string;
}

interface SourceCommands {
  readonly tree: SourceTree;
  /** argv of each. */
  readonly commands: readonly (readonly string[])[];
  /** `NAME=value`, beside what every build has. */
  readonly environment: readonly string[];
  /** Lines of sh that take away what they made, with the root as `$1`. */
  readonly after: readonly string[];
  /** Where the log is written. */
  readonly folder: string;
  /** What is done, in messages: `build hello for arm64`. */
  readonly what: string;
  /** A further sentence for whoever wrote a command that failed. */
  readonly hint: string;
}

/** Where the source is unpacked. */
const PLACE = '/build';
const SOURCE = `${PLACE}/source`;

/** What the commands printed. */
const LOG_FILE = 'build.log';

/** Bytes of a log that are kept. */
const LOG_BYTES = 16 * 2 ** 20;

/**
 * Runs commands in a source folder, in a root of their own without a network.
 * @throws StackError naming the command that failed, with the end of what it printed.
 * @throws OverrunError when they take more than the limits allow.
 */
export async function runInSource(place: SourcePlace, request: SourceCommands): Promise<void> {
  const { tree, commands, what, hint } = request;
  const environment = [...BUILD_ENVIRONMENT, ...request.environment].join(' ');
  // Of its own network such a command has the loopback only.
  const inside = (argv: readonly string[]) =>
    `unshare --net sh -c 'ip link set lo up; exec "$@"' alone chroot "$1" env -i ${environment} ${argv.map(shellQuote).join(' ')} </dev/null`;
  const inSource = (argv: readonly string[]): BuildStep => ({
    argv,
    line: inside(['sh', '-c', `cd ${SOURCE} && exec "$@"`, 'run', ...argv]),
  });
  const unpack: BuildStep = {
    argv: ['dpkg-source', '--extract'],
    line: inside(['sh', '-c', `exec dpkg-source --no-check --extract ${PLACE}/files/*.dsc ${SOURCE}`]),
  };
  const log = createWriteStream(join(request.folder, LOG_FILE));
  try {
    await runSteps(place, {
      setUp: [startingFrom(place.rootfs), `mkdir -p "$1${PLACE}"`, await copyLine(tree, place.scratch)],
      steps: [...('package' in tree ? [unpack] : []), ...commands.map(inSource)],
      after: request.after,
      purpose: what,
      failure: {
        what: `cannot ${what}`,
        hint: `It ran on ${place.arch.name}, in a system of its own without a network. ${hint}`.trimEnd(),
      },
      onLine(line) {
        if (log.bytesWritten < LOG_BYTES) log.write(`${line}\n`);
      },
    });
  } finally {
    log.end();
    await finished(log);
  }
}

/** A hook that puts the source into the root. */
async function copyLine(tree: SourceTree, scratch: string): Promise<string> {
  if ('package' in tree) return `cp -R ${shellQuote(tree.package)} "$1${PLACE}/files"`;
  if ('packed' in tree) return `tar -C "$1${PLACE}" -xf ${shellQuote(tree.packed)}`;
  const list = join(scratch, 'source-files');
  await writeFile(list, tree.entries.map(({ path }) => `./${path}\0`).join(''));
  const pack = `tar -C ${shellQuote(tree.folder)} --null --no-recursion --files-from=${shellQuote(list)} -cf -`;
  return `mkdir "$1${SOURCE}"; ${pack} | tar -C "$1${SOURCE}" --no-same-owner -xf -`;
}

/** A hook that packs the whole source folder into a tar file, for `packed`. */
export function packLine(to: string): string {
  return `tar -C "$1${PLACE}" -cf ${shellQuote(to)} source`;
}

/**
 * A hook that takes a file out. Links are followed by a program inside, so that they lead nowhere else; a file that is not
 * there leaves nothing.
 */
export function takeLine(path: string, to: string): string {
  const at = shellQuote(path.startsWith('/') ? path : `${SOURCE}/${path}`);
  const take = `chroot "$1" cat ${at} > ${shellQuote(to)} && chroot "$1" stat -L -c %a ${at} > ${shellQuote(`${to}.mode`)}`;
  return `if chroot "$1" test -f ${at}; then ${take}; fi`;
}
