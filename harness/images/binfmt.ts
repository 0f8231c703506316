import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arch, nativeArch } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import { run } from '../base/process.ts';

const BINFMT = '/proc/sys/fs/binfmt_misc';

/**
 * Makes sure that this machine can run programs of an architecture: registers qemu-user in binfmt_misc, with the line
 * that Debian's package brings, when nothing has. Needs root; in a container binfmt_misc has to be mounted first.
 */
export async function ensureBinfmt(arch: Arch): Promise<void> {
  if (nativeArch()?.name === arch.name) return;
  const name = arch.qemu.binfmt;
  if (await isRegistered(name)) return;
  const line = await readFile(`/usr/lib/binfmt.d/${name}.conf`, 'utf8').catch((cause: unknown) => {
    throw new InfraError(`cannot run programs of ${arch.name}: qemu-user-static is not installed`, {
      cause,
      hint: 'apt-get install qemu-user-static',
    });
  });
  try {
    await access(join(BINFMT, 'register')).catch(() =>
      run(['mount', '-t', 'binfmt_misc', 'binfmt_misc', BINFMT], { purpose: 'mount binfmt_misc' }),
    );
    await writeFile(join(BINFMT, 'register'), line.trim());
  } catch (cause) {
    // Two runs may have begun at once: what counts is whether it is registered now.
    if (await isRegistered(name)) return;
    throw new InfraError(
      `cannot register qemu-user for ${arch.name} in binfmt_misc: root has to do it once after each boot`,
      {
        cause,
        hint: `sudo sh -c 'mountpoint -q ${BINFMT} || mount -t binfmt_misc binfmt_misc ${BINFMT}; cat /usr/lib/binfmt.d/${name}.conf > ${BINFMT}/register'`,
      },
    );
  }
}

async function isRegistered(name: string): Promise<boolean> {
  // Docker's and other packages' registrations use other names; Debian's is the one that we can rely on.
  const text = await readFile(join(BINFMT, name), 'utf8').catch(() => '');
  return text.startsWith('enabled');
}
