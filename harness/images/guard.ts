import { oomKills } from '../base/cgroup.ts';
import { InfraError } from '../base/errors.ts';
import { eachLine, type RunOptions, run } from '../base/process.ts';
import { commandOf, exactBytes, processTree, type TreeProcess, treeWatcher } from '../base/process-tree.ts';
import { formatBytes, formatDuration, printable } from '../base/text.ts';

/** Limits on all processes of a root file system's build together. */
export interface BuildLimits {
  readonly memoryBytes: number;
  /** Milliseconds for all of it. */
  readonly totalMs: number;
  /** Milliseconds without a line of output. */
  readonly silentMs: number;
}

/** A process in the root exceeded a limit, and was killed. */
export class OverrunError extends InfraError {
  /** The package whose maintainer script it was; absent if unknown. */
  readonly package: string | undefined;
  constructor(message: string, options: { readonly package: string | undefined; readonly hint: string }) {
    super(message, options);
    this.package = options.package;
  }
}

/** Milliseconds between samples: a runaway process under qemu-user was seen to take a gigabyte in half a second. */
const LOOK_MS = 100;

/**
 * Runs a command that runs other people's programs, with limits on all its descendants. Memory is watched, not limited
 * by the kernel: we may not always create a control group, limits on address space hit programs that only reserve it,
 * and scripts easily overlook that the kernel killed a child. For the same reason the output is searched for processes
 * that died of a signal, and the kernel's own count of killed processes is checked.
 * @param options.onLine called with each line of output.
 * @throws OverrunError naming the package and the process that exceeded a limit.
 * @throws InfraError if something was killed but the command succeeded.
 */
export async function runGuarded(
  argv: readonly string[],
  limits: BuildLimits,
  options: RunOptions & { readonly onLine: (line: string) => void },
): Promise<void> {
  const { onLine, purpose, cancelSignal, ...rest } = options;
  const died: string[] = [];
  let heardAt = performance.now();
  const started = heardAt;
  const listen = eachLine((line) => {
    const text = printable(line);
    heardAt = performance.now();
    if (isDeath(text)) died.push(text);
    onLine(text);
  });
  const overrun = new AbortController();
  let treeNow = (): TreeProcess[] => [];
  const look = () => {
    const now = performance.now();
    const tree = treeNow();
    const error =
      memoryOverrun(tree, limits, purpose) ??
      timeOverrun(tree, { totalMs: now - started, silentMs: now - heardAt }, limits, purpose);
    if (!error) return;
    endTree(tree[0]!.pid);
    overrun.abort(error);
  };
  const looking = setInterval(look, LOOK_MS);
  const killedBefore = await oomKills();
  try {
    await run(argv, {
      ...rest,
      purpose,
      stdout: listen,
      stderr: listen,
      killSignal: 'SIGKILL',
      cancelSignal: cancelSignal ? AbortSignal.any([cancelSignal, overrun.signal]) : overrun.signal,
      onStart: (pid) => {
        treeNow = treeWatcher(pid);
      },
    });
  } catch (error) {
    throw overrun.signal.aborted ? overrun.signal.reason : error;
  } finally {
    clearInterval(looking);
  }
  if (died.length > 0)
    throw new InfraError(
      `cannot ${purpose}: a process was killed, but the script that started it continued: ${died[0]}`,
    );
  const killed = (await oomKills()) - killedBefore;
  if (killed > 0)
    throw new InfraError(
      `cannot ${purpose}: the kernel ended ${killed === 1 ? 'a process' : `${killed} processes`} meanwhile because memory ran out, and a script may have ignored that`,
      { hint: 'Run less at the same time, or give this machine (or the control group) more memory, and build again.' },
    );
}

function memoryOverrun(tree: readonly TreeProcess[], limits: BuildLimits, purpose: string): OverrunError | undefined {
  const sum = (of: (one: TreeProcess) => number) => tree.reduce((bytes, one) => bytes + of(one), 0);
  if (sum(({ bytes }) => bytes) <= limits.memoryBytes) return undefined;
  // Inherited memory has been counted for both the process and its parent.
  const exact = new Map(tree.map((one) => [one, exactBytes(one.pid)]));
  const taken = sum((one) => exact.get(one)!);
  if (taken <= limits.memoryBytes) return undefined;
  const largest = tree.reduce((a, b) => (exact.get(a)! >= exact.get(b)! ? a : b));
  const what = `${nameOf(largest)} took ${formatBytes(taken)} of memory, and ${formatBytes(limits.memoryBytes)} is allowed`;
  return overrunOf(tree, largest, what, purpose, 'images.build-memory');
}

function timeOverrun(
  tree: readonly TreeProcess[],
  { totalMs, silentMs }: { readonly totalMs: number; readonly silentMs: number },
  limits: BuildLimits,
  purpose: string,
): OverrunError | undefined {
  const last = tree.at(-1);
  if (!last) return undefined;
  if (silentMs > limits.silentMs)
    return overrunOf(tree, last, `${nameOf(last)} said nothing for ${formatDuration(silentMs)}`, purpose, undefined);
  if (totalMs <= limits.totalMs) return undefined;
  const what = `it took longer than ${formatDuration(limits.totalMs)}; ${nameOf(last)} was running`;
  return overrunOf(tree, last, what, purpose, 'images.build-minutes');
}

function overrunOf(
  tree: readonly TreeProcess[],
  culprit: TreeProcess,
  what: string,
  purpose: string,
  setting: string | undefined,
): OverrunError {
  const name = packageOf(tree, culprit);
  return new OverrunError(`cannot ${purpose}: ${name === undefined ? '' : `while ${name} was set up, `}${what}`, {
    package: name,
    hint:
      setting === undefined
        ? 'A program that waits for an answer, or hangs under qemu-user: look at the package’s maintainer scripts.'
        : `\`${setting}\` of the matrix is the limit.`,
  });
}

/** The package whose maintainer script a process descends from. */
function packageOf(tree: readonly TreeProcess[], from: TreeProcess): string | undefined {
  for (let one: TreeProcess | undefined = from; one; one = tree.find(({ pid }) => pid === one!.parent)) {
    const script = commandOf(one.pid).join(' ');
    const name = /\/var\/lib\/dpkg\/info\/([a-z0-9][a-z0-9+.-]+)(?::\w+)?\.(?:pre|post)(?:inst|rm)\b/.exec(script)?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}

/** `mariadbd --bootstrap …`: without the emulator in front. */
function nameOf({ pid }: TreeProcess): string {
  const argv = commandOf(pid);
  const own = /qemu-\w+(-static)?$/.test(argv[0] ?? '') ? argv.slice(1) : argv;
  return printable(own.join(' ')).slice(0, 100) || `process ${pid}`;
}

/** Messages of qemu-user and shells about a program killed by a signal. */
export function isDeath(line: string): boolean {
  return (
    /^qemu: uncaught target signal \d+/.test(line) ||
    /^(?:.*: (?:line )?\d+: +(?:\d+ )?)?(?:Killed|Segmentation fault|Bus error|Illegal instruction|Aborted)(?: \(core dumped\))?(?: {2,}.*)?$/.test(
      line,
    )
  );
}

/** Kills a tree of processes. They are stopped first: a script would continue as soon as its child has died. */
function endTree(root: number): void {
  const stopped = new Set<number>();
  for (;;) {
    const fresh = processTree(root).filter(({ pid }) => !stopped.has(pid));
    if (fresh.length === 0) break;
    for (const { pid } of fresh) {
      signal(pid, 'SIGSTOP');
      stopped.add(pid);
    }
  }
  for (const pid of stopped) signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
