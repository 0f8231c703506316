import { chmod, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists, makeFolder } from '../base/files.ts';
import { packageRoot } from '../base/package.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { Opened } from './ledger.ts';
import { PART } from './part.ts';

/** The script's name. */
export const WORKER = 'worker.sh';

/** The folder that the tree is unpacked to, in the working folder of a row. */
const MOVED_TREE = 'tree';

/**
 * Runs an attempt of a cell on a node: `worker.sh PART TREE COMMAND…`. An attempt is begun once, whatever an engine does, and
 * not at all when nobody waits for it any more. What it ended with is on disk for a harness that could write no events.
 * Where files are moved, TREE is an archive, and the events are printed while they come.
 *
 * Leases are a folder's of the node: a home folder may be that of many nodes, and what runs on another is dead to each.
 */
const script = (moves: boolean) => `#!/bin/sh
part=$1 tree=$2
shift 2
mkdir -p "$part" || exit 3
[ -e "$part/${PART.abandoned}" ] && exit 0
mkdir "$part/begun" 2>/dev/null || exit 0
node=\${HARNESS_NODE:-$(uname -n)}
echo "$node" >"$part/${PART.node}"
state=\${HARNESS_STATE:-\${XDG_STATE_HOME:-$HOME/.local/state}/multiarch-harness}
export HARNESS_STATE="$state/nodes/$node"
${moves ? UNPACK : ''}cd "$tree" || exit 3
# Before there is anything to signal: no signal may end this alone.
child= signalled=
trap 'signalled=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
"$@" >"$part/${PART.log}" 2>&1 </dev/null &
child=$!
[ -z "$signalled" ] || kill -TERM "$child" 2>/dev/null
${moves ? PRINT : ''}code=0
# A signal ends the waiting, with a code of its own; what was waited for already has none a second time (127).
while :; do
  signalled=
  wait "$child"
  now=$?
  [ "$now" = 127 ] || code=$now
  [ -n "$signalled" ] || break
done
${moves ? 'wait "$printer"\n' : ''}echo "$code" >"$part/${PART.exit}.partial" && mv "$part/${PART.exit}.partial" "$part/${PART.exit}"
exit "$code"
`;

const UNPACK = `part=$PWD/$part
mkdir ${MOVED_TREE} && tar -xf "$tree" -C ${MOVED_TREE} || exit 3
tree=${MOVED_TREE}
`;

/** Ends by itself once the harness has, with everything printed. */
const PRINT = `tail -s 0.2 -n +1 --pid="$child" -F "$part/${PART.events}" 2>/dev/null &
printer=$!
`;

/**
 * Puts the worker's script into a run's folder in the shared one.
 * @param moves whether the engine moves files.
 */
export async function writeWorker(place: string, moves: boolean): Promise<void> {
  makeFolder(place);
  const file = join(place, WORKER);
  await writeFile(file, script(moves));
  await chmod(file, 0o755);
}

/** What nodes find their images by: a remote cache, and whether they may write to it. */
export function cacheWords({ cache, 'cache-put': puts }: Pick<EngineConfig, 'cache' | 'cache-put'>): string[] {
  return cache === undefined
    ? []
    : ['env', `HARNESS_REMOTE_CACHE=${cache}`, `HARNESS_REMOTE_CACHE_PUT=${puts ? 1 : 0}`];
}

/**
 * The command line of an attempt.
 * @param moves whether the engine moves files: then everything is in the working folder of the row, or below it.
 */
export function workerArgv(
  { place, tree, program }: Pick<Opened, 'place' | 'tree' | 'program'>,
  part: string,
  words: readonly string[],
  moves = false,
): string[] {
  const from = moves ? ['sh', WORKER, part, basename(tree)] : ['sh', join(place, WORKER), part, tree];
  const flags = ['--part', '--no-summary', '--color', 'never', '--into', moves ? fromTree(part) : part];
  return [...from, ...program, 'run', ...flags, ...words];
}

/** What is in the working folder of a row, as its harness names it, which works in the tree. */
export function fromTree(path: string): string {
  return join('..', path);
}

/**
 * The words that call this harness on a node.
 * @param named how `machines.yaml` says that a node calls it, as a shell reads it.
 * @param treeOf where a path of the project is in the copy of it that nodes run.
 */
export async function programWords(
  named: string | undefined,
  treeOf: (path: string) => string | undefined,
): Promise<string[]> {
  if (named !== undefined) return ['sh', '-c', `exec ${named} "$@"`, 'harness'];
  // An installed package has its program one folder above what is built.
  const folders = [packageRoot, dirname(packageRoot)];
  for (const folder of folders) {
    const program = join(folder, 'harness/setup/harness.mjs');
    if (await exists(program)) return ['node', treeOf(program) ?? program];
  }
  return ['npx', 'harness'];
}
