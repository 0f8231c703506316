import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { execa, type Options, type Result } from 'execa';
import { InfraError } from './errors.ts';
import { hangupIsIgnored } from './hangup.ts';

/** Identifies a process uniquely, even if its number is reused or the host reboots. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat` (clock ticks since boot), with the boot's id in front. */
  readonly startTime: string;
}

/** The identity of a running process, or undefined if none has this number. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name stands in parentheses and may hold anything, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startTime: `${boot}:${fields[19]}` };
  } catch {
    return undefined;
  }
}

/** True when exactly this process still runs. */
export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** Whether a process is stopped: by SIGSTOP, or by a debugger. */
export function isStopped({ pid }: ProcessIdentity): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[Tt]$/.test(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0]!);
  } catch {
    return false;
  }
}

/** Sends a signal to exactly this process, never to one that reused its number. */
export function killExactly(target: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * argv that dies with this process, even if this process gets SIGKILL. The signal follows the main thread. If this
 * process ignores hangups, so do the processes that it starts, which are in the same process group.
 */
export function dieWithParent(argv: readonly string[]): string[] {
  const ignoring = hangupIsIgnored() ? ['env', '--ignore-signal=HUP'] : [];
  return [...ignoring, 'setpriv', '--pdeathsig', 'KILL', '--', ...argv];
}

export type RunOptions = Options & {
  /** The purpose of the command, for the error's message: `cannot <purpose>: …`. */
  readonly purpose: string;
  /** Exit codes other than 0 that are not errors. */
  readonly allow?: readonly number[];
  /** Called with the number of its process. */
  readonly onStart?: (pid: number) => void;
};

/**
 * Runs a command to its end, without a shell; it dies with this process.
 * @throws InfraError with the command and the end of what it printed.
 */
export async function run(argv: readonly string[], options: RunOptions): Promise<Result> {
  const { purpose, allow = [], onStart, ...rest } = options;
  const [file, ...args] = dieWithParent(argv);
  const child = execa(file!, args, {
    stdin: 'ignore',
    reject: false,
    forceKillAfterDelay: 2000,
    maxBuffer: 64 * 1024 * 1024,
    ...rest,
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  const result = (await child) as Result;
  if (!result.failed || (result.exitCode !== undefined && allow.includes(result.exitCode))) return result;
  throw new InfraError(`cannot ${purpose}: ${failureOf(argv, result)}`, { cause: result.cause });
}

/** For `stdout` or `stderr` of `run`: calls back for each line as it arrives, and passes the output through. */
export function eachLine(hear: (line: string) => void): (line: unknown) => Generator<unknown, void> {
  return function* (line) {
    hear(String(line));
    yield line;
  };
}

function failureOf(argv: readonly string[], result: Result): string {
  const said = [result.stderr, result.stdout].find((text) => typeof text === 'string' && text.trim() !== '');
  const tail = typeof said === 'string' ? said.trim().split('\n').slice(-12).join('\n') : '';
  const how = result.timedOut
    ? 'it ran into its deadline'
    : result.isCanceled
      ? 'it was cancelled'
      : result.signal
        ? `it was ended by ${result.signal}`
        : result.exitCode === undefined
          ? 'it could not be started'
          : `it exited with ${result.exitCode}`;
  return `${argv.slice(0, 3).join(' ')}: ${how}${tail ? `\n${tail}` : ''}`;
}

/** Lets this process exit while a child continues: an open pipe would keep it alive as well. */
export function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?: () => void } | null)?.unref?.();
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly error?: Error;
}

/** A process that runs beside this one. */
export interface Started {
  readonly pid: number | undefined;
  readonly ended: Promise<ProcessEnd>;
  kill(signal: NodeJS.Signals): void;
  /** Lets this process exit while the other goes on. */
  unref(): void;
}

/**
 * Starts a long-running process in a group of its own, so that Ctrl-C reaches only the harness. It writes to the log
 * file itself, not through a pipe of ours, and dies with this process unless `outlive`.
 */
export function start(
  argv: readonly string[],
  options: { readonly logFile: string; readonly outlive: boolean },
): Started {
  const [file, ...args] = options.outlive ? argv : dieWithParent(argv);
  const log = openSync(options.logFile, 'w', 0o600);
  try {
    const child = spawn(file!, args, { stdio: ['ignore', log, log], detached: true });
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
      child.once('error', (error) => resolve({ exitCode: null, signal: null, error }));
    });
    return { pid: child.pid, ended, kill: (signal) => void child.kill(signal), unref: () => child.unref() };
  } finally {
    closeSync(log);
  }
}
