import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../base/process.ts';
import { cpio } from '../../images/cpio.ts';

/** What makes this guest this run's: keys in both directions, name, identity. */
export interface Seed {
  /** The cached initramfs with the run's own files behind it. */
  readonly initrd: string;
  readonly keyFile: string;
  readonly hostKey: string;
}

/** Makes keys for one guest and an initramfs that brings them in. Private keys stay in the run's private folder. */
export async function makeSeed(folder: string, cachedInitrd: string, hostname: string): Promise<Seed> {
  const keyFile = join(folder, 'key');
  const hostFile = join(folder, 'host');
  await Promise.all(
    [keyFile, hostFile].map((file) =>
      run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `harness ${hostname}`, '-f', file], {
        purpose: 'make an SSH key',
      }),
    ),
  );
  const [hostPrivate, hostPublic, userPublic] = await Promise.all(
    [hostFile, `${hostFile}.pub`, `${keyFile}.pub`].map((file) => readFile(file, 'utf8')),
  );
  const machineId = randomBytes(16).toString('hex');
  const archive = cpio([
    { path: 'seed', folder: true },
    { path: 'seed/etc', folder: true },
    { path: 'seed/etc/ssh', folder: true },
    { path: 'seed/etc/ssh/harness_host_key', mode: 0o600, content: hostPrivate! },
    { path: 'seed/etc/ssh/harness_authorized_keys', mode: 0o600, content: userPublic! },
    { path: 'seed/etc/hostname', content: `${hostname}\n` },
    { path: 'seed/etc/hosts', content: `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n` },
    { path: 'seed/etc/machine-id', mode: 0o444, content: `${machineId}\n` },
  ]);
  const initrd = join(folder, 'initrd');
  await writeFile(initrd, Buffer.concat([await readFile(cachedInitrd), archive]), { mode: 0o600 });
  return { initrd, keyFile, hostKey: hostPublic!.trim().split(' ').slice(0, 2).join(' ') };
}
