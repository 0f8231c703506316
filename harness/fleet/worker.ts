import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, makeFolder } from '../base/files.ts';
import { packageRoot } from '../base/package.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { Opened } from './ledger.ts';
import { PART } from './part.ts';

/**
 * Runs an attempt of a cell on a node: `worker.sh PART TREE COMMAND…`. An attempt is begun once, whatever an engine does, and
 * not at all when nobody waits for it any more. What it ended with is on disk for a harness that could write no events.
 *
 * Leases are a folder's of the node: a home folder may be that of many nodes, and what runs on another is dead to each.
 */
const SCRIPT = `#!/bin/sh
part=$1 tree=$2
shift 2
mkdir -p "$part" || exit 3
[ -e "$part/${PART.abandoned}" ] && exit 0
mkdir "$part/begun" 2>/dev/null || exit 0
node=\${SLURMD_NODENAME:-$(uname -n)}
echo "$node" >"$part/${PART.node}"
state=\${HARNESS_STATE:-\${XDG_STATE_HOME:-$HOME/.local/state}/multiarch-harness}
export HARNESS_STATE="$state/nodes/$node"
cd "$tree" || exit 3
"$@" >"$part/${PART.log}" 2>&1 </dev/null &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP
code=0
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break
done
echo "$code" >"$part/${PART.exit}.partial" && mv "$part/${PART.exit}.partial" "$part/${PART.exit}"
exit "$code"
`;

/** Puts the worker's script into a run's folder in the shared one. */
export async function writeWorker(place: string): Promise<void> {
  makeFolder(place);
  const file = join(place, 'worker.sh');
  await writeFile(file, SCRIPT);
  await chmod(file, 0o755);
}

/** What nodes find their images by: a remote cache, and whether they may write to it. */
export function cacheWords({ cache, 'cache-put': puts }: Pick<EngineConfig, 'cache' | 'cache-put'>): string[] {
  return cache === undefined
    ? []
    : ['env', `HARNESS_REMOTE_CACHE=${cache}`, `HARNESS_REMOTE_CACHE_PUT=${puts ? 1 : 0}`];
}

/** The command line of an attempt. */
export function workerArgv(
  { place, tree, program }: Pick<Opened, 'place' | 'tree' | 'program'>,
  part: string,
  words: readonly string[],
): string[] {
  const flags = ['--part', '--no-summary', '--color', 'never', '--into', part];
  return ['sh', join(place, 'worker.sh'), part, tree, ...program, 'run', ...flags, ...words];
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
