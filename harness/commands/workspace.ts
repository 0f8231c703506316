import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { execa } from 'execa';
import { InfraError, StackError } from '../base/errors.ts';
import { formatBytes, lastLines } from '../base/text.ts';
import { scaledMs } from '../base/time.ts';
import { type SourceChanges, sourceChanges } from '../source/changes.ts';
import type { SourceEntry, SourceTree } from '../source/tree.ts';
import { WORK_FOLDER } from '../stacks/packages/install.ts';
import type { Target } from '../targets/target.ts';

/** The user and folder of commands on a machine. */
export interface Workspace {
  /** Absolute folder on the machine: the project is in `source` below it, and `home` is the user's home. */
  readonly base: string;
  readonly user: string;
}

export interface WorkspaceOptions {
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** Native seconds for making the folders and the user. */
const PREPARE_SECONDS = 30;
/** Native seconds for copying a source, and for each of its MiB: an emulated machine decrypts slowly. */
const COPY_SECONDS = 30;
const COPY_SECONDS_A_MIB = 0.5;

/**
 * Makes the folders and finds the user: `tester` on a machine that ends with the run, otherwise the user that the
 * harness logged in as, or nobody. Prints the folder and the user.
 */
const PREPARE = `
set -eu
base=$1 as=$2 stays=$3
if [ "$(id -u)" != 0 ]; then
  base=$HOME/.harness-work
  user=$(id -un)
elif [ "$as" = root ]; then user=root
elif [ "$stays" = yes ]; then
  user=\${SUDO_USER:-nobody}
  if [ "$user" = root ]; then user=nobody; fi
else
  user=tester
  if id "$user" >/dev/null 2>&1; then :
  elif command -v useradd >/dev/null; then useradd --home-dir "$base/home" --no-create-home --shell /bin/sh "$user"
  else
    echo "$user:x:12345:" >>/etc/group
    echo "$user:x:12345:12345::$base/home:/bin/sh" >>/etc/passwd
  fi
fi
mkdir -p "$base/home" "$base/source"
if [ "$(id -u)" = 0 ]; then chown "$user": "$base" "$base/home" "$base/source"; fi
printf '%s\\n%s\\n' "$base" "$user"
`;

/** @param as the user for the commands. @throws StackError if the machine cannot have it. */
export async function prepareWorkspace(
  target: Target,
  as: 'user' | 'root',
  { scale, signal }: WorkspaceOptions,
): Promise<Workspace> {
  const stays = target.undoFolder === undefined ? 'no' : 'yes';
  const { exitCode, stdout, stderr } = await target.exec(['sh', '-c', PREPARE, 'prepare', WORK_FOLDER, as, stays], {
    deadlineMs: scaledMs(PREPARE_SECONDS, scale),
    signal,
  });
  const [base, user] = stdout.trim().split('\n').slice(-2);
  if (exitCode !== 0 || !base?.startsWith('/') || !user)
    throw new StackError(`cannot make a folder for commands on the machine: ${lastLines(stderr, 1)[0] ?? exitCode}`);
  return { base, user };
}

/**
 * argv that runs a script of a shell as the user of a workspace: root reads, and removes, only what that user could.
 * @param args from `$0` on.
 */
export function asUser({ user }: Workspace, script: string, args: readonly string[]): string[] {
  return ['sh', '-c', AS_USER, 'as-user', user, 'sh', '-c', script, ...args];
}

const AS_USER = `
user=$1
shift
if [ "$(id -u)" = 0 ] && [ "$user" != root ]; then
  exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@"
fi
exec "$@"
`;

/** Arguments are the workspace, and whether files get the time of now; on its input the archive. */
const UNPACK = `
set -eu
base=$1 times=$2
cd "$base/source"
umask 022
exec tar --extract --file=- --gzip --recursive-unlink --no-same-owner $times
`;

const REMOVE = `
cd "$1/source" && xargs -0 rm -f --
`;

/**
 * Makes the project on a machine what it is here. Only what differs from \`before\` is sent; what the machine made itself stays.
 * A file that changed is newer there than anything made from its old content.
 * @param before what it was copied from the last time; absent: it has nothing of it.
 * @returns what was sent.
 */
export async function copySource(
  target: Target,
  workspace: Workspace,
  tree: SourceTree,
  before: readonly SourceEntry[] | undefined,
  { scale, signal, progress }: WorkspaceOptions,
): Promise<SourceChanges> {
  const changes = sourceChanges(before, tree.entries);
  const { changed, removed } = changes;
  const fail = (result: { exitCode: number; stderr: string }) => {
    const said = lastLines(result.stderr, 3).join('; ');
    const Failure = /No space left/.test(said) ? InfraError : StackError;
    return new Failure(`cannot copy the source to the machine: ${said || `exit code ${result.exitCode}`}`, {
      ...(Failure === InfraError ? { hint: 'Give the machine a larger disk: machine.disk in suite.yaml.' } : {}),
    });
  };
  if (removed.length > 0) {
    const result = await target.exec(asUser(workspace, REMOVE, ['remove', workspace.base]), {
      deadlineMs: scaledMs(COPY_SECONDS, scale),
      signal,
      stdin: removed.join('\0'),
    });
    if (result.exitCode !== 0) throw fail(result);
  }
  if (changed.length === 0) return changes;
  const archive = await pack(tree.folder, changed, signal);
  progress(
    `copying ${changed.length} ${changed.length === 1 ? 'file' : 'files'} of the source (${formatBytes(archive.byteLength)})`,
  );
  const times = before === undefined ? '' : '--touch';
  const result = await target.exec(asUser(workspace, UNPACK, ['unpack', workspace.base, times]), {
    deadlineMs: scaledMs(COPY_SECONDS + (archive.byteLength / 2 ** 20) * COPY_SECONDS_A_MIB, scale),
    signal,
    stdin: archive,
  });
  if (result.exitCode !== 0) throw fail(result);
  return changes;
}

/** A compressed archive of some files of a folder. @throws InfraError if one of them disappears meanwhile. */
async function pack(folder: string, paths: readonly string[], signal: AbortSignal): Promise<Uint8Array> {
  const args = [
    '--create',
    '--file=-',
    '--owner=0',
    '--group=0',
    '--no-recursion',
    '--directory',
    folder,
    '--null',
    '--verbatim-files-from',
    '--files-from=-',
  ];
  const result = await execa('tar', args, {
    input: paths.join('\0'),
    encoding: 'buffer',
    reject: false,
    maxBuffer: 2 ** 31,
    cancelSignal: signal,
    env: { LC_ALL: 'C' },
  });
  signal.throwIfAborted();
  // The least compression: what a machine decrypts costs it more than what it unpacks.
  if (!result.failed) return promisify(gzip)(result.stdout, { level: 1 });
  throw new InfraError(
    `cannot pack the source folder ${folder}: ${lastLines(Buffer.from(result.stderr).toString(), 99)[0] ?? result.shortMessage}`,
    {
      hint: 'Did something change it meanwhile?',
    },
  );
}
