import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { InfraError } from './errors.ts';
import { dieWithParent } from './process.ts';

/** A lock that is held; released on disposal, and by the kernel when this process dies in any way. */
export interface HeldLock extends AsyncDisposable {
  readonly file: string;
}

/**
 * Takes an exclusive lock on a file, waiting for whoever holds it. The lock is flock(2)'s, held by a small child
 * process that ends with this one: there is no stale owner to detect.
 * @param onWait called once when somebody else holds it.
 */
export async function lock(file: string, onWait: () => void = () => {}, signal?: AbortSignal): Promise<HeldLock> {
  await mkdir(dirname(file), { recursive: true });
  const waiting = setTimeout(onWait, 500);
  const [program, ...args] = dieWithParent(['flock', '--exclusive', file, 'sh', '-c', 'echo held; exec cat']);
  const holder = execa(program!, args, {
    stdin: 'pipe',
    reject: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.then(
        (result) =>
          reject(new InfraError(`cannot lock ${file}: ${result.stderr || result.shortMessage || 'flock ended'}`)),
        reject,
      );
    });
  } finally {
    clearTimeout(waiting);
  }
  return {
    file,
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await holder;
    },
  };
}
