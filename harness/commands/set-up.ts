import { z } from 'zod';
import { StackError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import { scaledMs } from '../base/time.ts';
import type { SourceEntry, SourceTree } from '../source/tree.ts';
import type { Target } from '../targets/target.ts';
import { runCommand } from './runner.ts';
import { copySource, prepareWorkspace, type Workspace, type WorkspaceOptions } from './workspace.ts';

/** The state of a machine for the commands of a suite: kept with its snapshot, so plain JSON. */
export const setUpState = z.object({
  workspace: z.object({ base: z.string(), user: z.string() }),
  /** The source as it was copied. */
  entries: z.array(z.object({ path: z.string(), digest: z.string(), bytes: z.number() })),
  /** Paths of the source that the set-up read; `all` if the machine does not tell. */
  reads: z.union([z.array(z.string()), z.literal('all')]),
});
export type SetUpState = z.output<typeof setUpState>;

export interface SetUp {
  /** Absent: the suite has no source. */
  readonly tree: SourceTree | undefined;
  /** argv of each command, in order. */
  readonly commands: readonly (readonly string[])[];
  readonly as: 'user' | 'root';
  /** Native seconds for each command. */
  readonly seconds: number;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Copies a source to a new machine, and runs its set-up.
 * @throws StackError naming the command that failed, with the end of what it printed.
 */
export async function setUp(target: Target, what: SetUp, options: WorkspaceOptions): Promise<SetUpState> {
  const { tree, as } = what;
  const workspace = await prepareWorkspace(target, as, options);
  const entries = [...(tree?.entries ?? [])];
  if (tree) await copySource(target, workspace, tree, undefined, options);
  return { workspace, entries, reads: await runSetUp(target, workspace, entries, what, options) };
}

/**
 * Runs the commands of a set-up in a workspace.
 * @returns the paths of the source that they read.
 */
export async function runSetUp(
  target: Target,
  workspace: Workspace,
  entries: readonly SourceEntry[],
  { commands, seconds, env }: Pick<SetUp, 'commands' | 'seconds' | 'env'>,
  options: WorkspaceOptions,
): Promise<SetUpState['reads']> {
  if (commands.length === 0) return [];
  const watched = await watchReads(target, workspace, options);
  try {
    for (const argv of commands) await runOne(target, workspace, argv, { seconds, env }, options);
    return watched ? await readsOf(target, workspace, entries, options) : 'all';
  } finally {
    await unwatch(target, workspace, options);
  }
}

/** @throws StackError when it fails, with the end of what it printed. */
async function runOne(
  target: Target,
  workspace: Workspace,
  argv: readonly string[],
  { seconds, env }: Pick<SetUp, 'seconds' | 'env'>,
  options: WorkspaceOptions,
): Promise<void> {
  const shown = argv.join(' ');
  options.progress(shown.slice(0, 80));
  let said = '';
  const end = await runCommand(target, {
    workspace,
    argv,
    env,
    deadlineMs: scaledMs(seconds, options.scale),
    signal: options.signal,
    onOutput(_stream, chunk) {
      said = (said + chunk.toString()).slice(-8000);
      options.progress(lastLines(said, 1)[0] ?? '');
    },
  });
  if (end.exitCode === 0) return;
  const how = end.late
    ? `did not end within ${scaledMs(seconds, options.scale) / 1000} s (timeouts.setup)`
    : (end.problem ??
      (end.exitCode === undefined ? `was ended by signal ${end.signal}` : `exited with ${end.exitCode}`));
  throw new StackError(`cannot set the source up: \`${shown.slice(0, 200)}\` ${how}`, {
    cause: lastLines(said, 15).join('\n') || undefined,
  });
}

const READ_SECONDS = 60;

/**
 * Dates every file's last reading back, so that a file that is read from now on can be told. Linux notes a reading of a file
 * that was not read since it was written, unless its file system is mounted to note none, as our guests' is: that is tried on
 * one file, and the folder is mounted over itself to note it all the same. Prints whether readings are noted.
 */
const WATCH = `
set -eu
cd "$1"
find source -type f -exec touch -a -d @86400 -- {} +
noted() {
  echo probe >probe && touch -a -d @86400 probe && cat probe >/dev/null
  find probe -newerat 1970-01-03
  rm probe
}
if [ "$(noted)" = "" ] && [ "$(id -u)" = 0 ]; then
  mount --bind "$1" "$1" && mount -o remount,bind,strictatime "$1" || true
  cd "$1"
fi
noted
`;

/** Ends what WATCH may have mounted. */
const UNWATCH = 'umount --lazy "$1" 2>/dev/null; true';

async function watchReads(target: Target, { base }: Workspace, { scale, signal }: WorkspaceOptions): Promise<boolean> {
  const result = await target.exec(['sh', '-c', WATCH, 'watch', base], {
    deadlineMs: scaledMs(READ_SECONDS, scale),
    signal,
  });
  return result.exitCode === 0 && result.stdout.trim() === 'probe';
}

/** On a lost machine there is nothing to end, and the waiting code reports why it was lost. */
async function unwatch(target: Target, { base }: Workspace, { scale, signal }: WorkspaceOptions): Promise<void> {
  // An interrupt does not wait for it.
  if (signal.aborted) return;
  const deadlineMs = scaledMs(READ_SECONDS, scale);
  await target.exec(['sh', '-c', UNWATCH, 'unwatch', base], { deadlineMs }).catch(() => {});
}

async function readsOf(
  target: Target,
  { base }: Workspace,
  entries: readonly SourceEntry[],
  { scale, signal }: WorkspaceOptions,
): Promise<string[] | 'all'> {
  const list = 'cd "$1/source" && find . -type f -newerat 1970-01-03 -printf "%P\\\\0" | base64 -w0';
  const result = await target.exec(['sh', '-c', list, 'reads', base], {
    deadlineMs: scaledMs(READ_SECONDS, scale),
    signal,
  });
  if (result.exitCode !== 0) return 'all';
  const read = new Set(Buffer.from(result.stdout, 'base64').toString().split('\0'));
  return entries.map(({ path }) => path).filter((path) => read.has(path));
}
