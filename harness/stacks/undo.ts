import { InfraError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import { scaledMs } from '../base/time.ts';
import type { Suite } from '../config/suite.ts';
import type { Target } from '../targets/target.ts';
import { deployers, deployersOf } from './deployers.ts';

/**
 * Undoes the changes in a journal, the last one first. It is stored beside the journal on the machine, so that the next
 * user of the machine can run it even if this run was killed. Each line of a journal is `verb argument [path]`.
 */
const UNDO = `#!/bin/sh
# Undoes what a run of the test harness changed on this machine, the last change first.
cd "$(dirname "$0")" || exit 1
${deployers.flatMap(({ name, undo }) => (undo ? [`undo_${name}() { what=$1\n${undo.script}\n} >/dev/null\n`] : [])).join('')}failed=0
tac journal | {
  while IFS=' ' read -r verb what path; do
    case $verb in
      start) systemctl daemon-reload; systemctl start "$what" ;;
      stop) systemctl stop "$what" 2>/dev/null || ! systemctl --quiet is-active "$what" ;;
      enable) systemctl --quiet enable "$what" ;;
      disable) systemctl --quiet disable "$what" 2>/dev/null; true ;;
      restore) rm -rf -- "$path" && cp -a -- "files/$what" "$path" ;;
      remove) rm -rf -- "$path" ;;
      # The folder was there, with this owner and mode.
      folder) chown "\${what%/*}" "$path" && chmod "\${what#*/}" "$path" ;;
${deployers.flatMap(({ name, undo }) => (undo ? [`      ${name}) undo_${name} "$what" ;;\n`] : [])).join('')}      purge) DEBIAN_FRONTEND=noninteractive apt-get -q -y purge "$what" >/dev/null ;;
      *) false ;;
    esac || { echo "cannot $verb $what $path"; failed=1; }
  done
  [ "$failed" = 0 ]
} || exit 1
systemctl daemon-reload 2>/dev/null
wc -l <journal
cd / && rm -rf -- "$(dirname "$0")"
`;

/**
 * Records the state before any change. Arguments: the folder, packages to purge later, --, services, --, services that
 * will be disabled.
 */
const BEGIN = `
folder=$1; shift
rm -rf -- "$folder" && mkdir -p -- "$folder/files" && cat >"$folder/undo" || exit 1
{
  while [ "$1" != -- ]; do echo "purge $1"; shift; done
  shift
  while [ "$1" != -- ]; do systemctl --quiet is-active "$1" && echo "start $1"; shift; done
  shift
  for service in "$@"; do
    systemctl --quiet is-active "$service" && echo "start $service"
    systemctl --quiet is-enabled "$service" 2>/dev/null && echo "enable $service"
  done
} >"$folder/journal"
sync -f "$folder"
`;

/** Copies what will be overwritten. Arguments: the folder, lines of deployers, services, --, paths. */
const NOTE = `
folder=$1; lines=$2; shift 2
services=
while [ "$1" != -- ]; do services="$services $1"; shift; done
shift
number=0
for path in "$@"; do
  number=$((number + 1))
  if [ "$path" != "\${path%/}" ] && [ -d "$path" ]; then
    echo "folder $(stat -c %u:%g/%a "$path") \${path%/}"
  elif [ -e "$path" ] || [ -L "$path" ]; then
    cp -a -- "$path" "$folder/files/$number" || exit 1
    echo "restore $number $path"
  else
    echo "remove - \${path%/}"
  fi >>"$folder/journal"
done
for service in $services; do
  systemctl --quiet is-enabled "$service" 2>/dev/null || echo "disable $service"
  echo "stop $service"
done >>"$folder/journal"
if [ -n "$lines" ]; then printf '%s\\n' "$lines" >>"$folder/journal"; fi
sync -f "$folder"
`;

interface UndoOptions {
  readonly scale: number;
  readonly signal?: AbortSignal;
}

/** Records packages and services before the first change. Does nothing on a target that ends with the run. */
export async function beginUndo(
  target: Target,
  { stack, timeouts }: Suite,
  missing: readonly string[],
  options: UndoOptions,
): Promise<void> {
  const { undoFolder } = target;
  if (undoFolder === undefined) return;
  const purged = stack.afterwards.packages === 'remove' ? missing : [];
  const { enabled, disabled } = stack.services;
  await script(
    target,
    BEGIN,
    [undoFolder, ...purged, '--', ...enabled, '--', ...disabled],
    timeouts.command,
    options,
    UNDO,
  );
}

/** Copies the files that will be overwritten, and records what will be started. */
export async function noteChanges(
  target: Target,
  suite: Suite,
  paths: readonly string[],
  options: UndoOptions,
): Promise<void> {
  const { stack, timeouts } = suite;
  const { undoFolder } = target;
  if (undoFolder === undefined) return;
  const strange = paths.find((path) => path.includes('\n'));
  if (strange !== undefined)
    throw new InfraError(`cannot keep a copy of ${JSON.stringify(strange)}: its name has more than one line`);
  const { services, files } = stack.afterwards;
  const lines = deployersOf(suite).flatMap(({ name, undo }) => {
    const what = undo?.noted(suite);
    return what === undefined ? [] : [`${name} ${what}`];
  });
  const noted = [
    lines.join('\n'),
    ...(services === 'stop' ? stack.services.enabled : []),
    '--',
    ...(files === 'restore' ? paths : []),
  ];
  await script(target, NOTE, [undoFolder, ...noted], timeouts.command, options);
}

/** Native seconds for undoing changes: services may take long to stop. */
const UNDO_SECONDS = 120;

/**
 * Undoes the changes to a machine that are in its journal.
 * @returns the number of undone changes, or undefined if there is no journal.
 * @throws InfraError if something could not be undone; the journal stays for the machine's next user.
 */
export async function undoChanges(target: Target, options: UndoOptions): Promise<number | undefined> {
  const { undoFolder } = target;
  if (undoFolder === undefined) return undefined;
  const run = 'if [ -e "$1/undo" ]; then exec sh "$1/undo"; fi';
  const said = await script(target, run, [undoFolder], UNDO_SECONDS, options);
  return said === '' ? undefined : Number(lastLines(said, 1)[0] ?? 0);
}

/** Undoes the leftovers of a killed run. @returns a summary in words; undefined: there was nothing. */
export async function undoLeftovers(target: Target, options: UndoOptions): Promise<string | undefined> {
  const count = await undoChanges(target, options);
  return count === undefined ? undefined : `${count} ${count === 1 ? 'change was' : 'changes were'} undone`;
}

async function script(
  target: Target,
  text: string,
  args: readonly string[],
  seconds: number,
  { scale, signal }: UndoOptions,
  stdin?: string,
): Promise<string> {
  const { exitCode, stdout, stderr } = await target.exec(['sh', '-c', text, 'undo', ...args], {
    deadlineMs: scaledMs(seconds, scale),
    ...(signal ? { signal } : {}),
    ...(stdin === undefined ? {} : { stdin }),
  });
  if (exitCode === 0) return stdout.trim();
  const said = lastLines(`${stdout}\n${stderr}`, 5).join('\n');
  throw new InfraError(`cannot record or undo changes on ${target.facts.machine ?? 'the machine'}: ${said}`, {
    hint: `Its journal is in ${target.undoFolder} there; \`sh undo\` in that folder tries again.`,
  });
}
