import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { InfraError } from './errors.ts';
import { makeFolder } from './files.ts';
import { mention } from './mention.ts';
import { dieWithParent, identify, isAlive, type ProcessIdentity } from './process.ts';
import { formatDuration, printable } from './text.ts';

/** A lock that is held; released on disposal, and by the kernel when this process dies in any way. */
export interface HeldLock extends AsyncDisposable {
  readonly file: string;
}

export interface LockOptions {
  /**
   * Called after three seconds of waiting and then every ten, with the lock's holder:
   * `process 4711 (harness run web), for 12.0 s`.
   */
  readonly onWait?: ((holder: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The holder's entry in the lock file, for waiters to read. */
interface Holder extends ProcessIdentity {
  readonly command: string;
  /** ISO time. */
  readonly since: string;
}

/**
 * Takes an exclusive lock on a file, waiting for its holder. The lock is flock(2)'s, held by a small child
 * process that ends with this one: there is no stale owner to detect.
 */
export async function lock(file: string, options: LockOptions = {}): Promise<HeldLock> {
  const held = await take(file, [], options);
  if (!held) throw new InfraError(`cannot lock ${file}: flock ended`);
  return held;
}

/** Takes an exclusive lock on a file, or returns undefined if somebody else holds it. */
export function tryLock(file: string): Promise<HeldLock | undefined> {
  return take(file, ['--nonblock', '--conflict-exit-code', String(BUSY)], {});
}

const BUSY = 75;

async function take(
  file: string,
  how: readonly string[],
  { onWait, signal }: LockOptions,
): Promise<HeldLock | undefined> {
  makeFolder(dirname(file));
  const [program, ...args] = dieWithParent(['flock', '--exclusive', ...how, file, 'sh', '-c', 'echo held; exec cat']);
  const holder = execa(program!, args, {
    stdin: 'pipe',
    reject: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  let waiting = true;
  const stopMentioning = mention(() => void whoHolds(file).then((who) => waiting && onWait?.(who)));
  try {
    const held = await new Promise<boolean>((resolve, reject) => {
      holder.stdout.once('data', () => resolve(true));
      holder.then((result) => {
        if (result.exitCode === BUSY) resolve(false);
        else if (signal?.aborted) reject(signal.reason);
        else reject(new InfraError(`cannot lock ${file}: ${result.stderr || result.shortMessage || 'flock ended'}`));
      }, reject);
    });
    if (!held) return undefined;
  } finally {
    waiting = false;
    stopMentioning();
  }
  await sign(file);
  return {
    file,
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await holder;
    },
  };
}

async function sign(file: string): Promise<void> {
  const command = ['harness', ...process.argv.slice(2)].join(' ');
  const holder: Holder = { ...identify(process.pid)!, command, since: new Date().toISOString() };
  // Only informative: the lock is held with or without a name in it.
  await writeFile(file, JSON.stringify(holder)).catch(() => {});
}

async function whoHolds(file: string): Promise<string> {
  try {
    const holder = JSON.parse(await readFile(file, 'utf8')) as Holder;
    if (!isAlive(holder)) return 'a process that did not say who it is';
    const since = formatDuration(Date.now() - Date.parse(holder.since));
    if (holder.pid === process.pid) return `another part of this run, for ${since}`;
    return `process ${holder.pid} (${printable(holder.command).slice(0, 80)}), for ${since}`;
  } catch {
    return 'a process that did not say who it is';
  }
}
