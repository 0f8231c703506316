import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../base/process.ts';
import { type CpioEntry, cpio } from '../../images/cpio.ts';
import type { LanPlace } from '../target.ts';
import type { VmSpec } from './spec.ts';

/** The run's own data of a guest: keys in both directions, name, identity. */
export interface Seed {
  readonly hostname: string;
  /** The guest's files, by their path in it. */
  readonly files: Readonly<Record<string, { readonly mode: number; readonly content: string }>>;
  /** The cached initramfs followed by those files. */
  readonly initrd: string;
  readonly keyFile: string;
  readonly hostKey: string;
}

/** Makes keys for one guest and an initramfs that brings them in. Private keys stay in the run's private folder. */
export async function makeSeed(
  folder: string,
  cachedInitrd: string,
  { hostname, lan, network, identity, image }: Pick<VmSpec, 'hostname' | 'lan' | 'network' | 'identity' | 'image'>,
): Promise<Seed> {
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
  // A stable name: the same whenever the machine is booted or resumed.
  const kept = createHash('sha256').update(`${image.key} ${hostname}`).digest('hex').slice(0, 32);
  const machineId = identity === 'kept' ? kept : randomBytes(16).toString('hex');
  const files = {
    '/etc/ssh/harness_host_key': { mode: 0o600, content: hostPrivate! },
    '/etc/ssh/harness_authorized_keys': { mode: 0o600, content: userPublic! },
    '/etc/hostname': { mode: 0o644, content: `${hostname}\n` },
    '/etc/hosts': { mode: 0o644, content: hostsFile(hostname, lan) },
    // Without outside access names are refused at once: QEMU's own server would not answer, and callers would wait.
    '/etc/resolv.conf': { mode: 0o644, content: `nameserver ${network ? '10.0.2.3' : '127.0.0.1'}\n` },
    ...(lan ? { '/etc/harness/lan': { mode: 0o644, content: `${lan.address}\n` } } : {}),
    '/etc/machine-id': { mode: 0o444, content: `${machineId}\n` },
  };
  const folders: CpioEntry[] = ['seed', 'seed/etc', 'seed/etc/ssh', 'seed/etc/harness'].map((path) => ({
    path,
    folder: true,
  }));
  const entries = Object.entries(files).map(([path, file]) => ({ path: `seed${path}`, ...file }));
  const initrd = join(folder, 'initrd');
  const archive = cpio([...folders, ...entries, ...image.brought]);
  await writeFile(initrd, Buffer.concat([await readFile(cachedInitrd), archive]), { mode: 0o600 });
  return { hostname, files, initrd, keyFile, hostKey: hostPublic!.trim().split(' ').slice(0, 2).join(' ') };
}

/** In a cluster a machine's own name resolves to its address there, as for the others. */
function hostsFile(hostname: string, lan?: LanPlace): string {
  return ['127.0.0.1 localhost', ...(lan?.hosts ?? [`127.0.1.1 ${hostname}`]), ''].join('\n');
}
