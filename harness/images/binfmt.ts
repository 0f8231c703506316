import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arch, nativeArch } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { run } from '../base/process.ts';
import { packageName } from '../setup/system-packages.mjs';

/** Folders of the kernel's and Debian's configuration. */
export interface BinfmtPlaces {
  /** The kernel's binfmt_misc. */
  readonly misc: string;
  /** The registrations of the qemu-user package. */
  readonly lines: string;
  /** The name of that package in this distribution. */
  readonly package: string;
  readonly isRoot: boolean;
}

const here = (): BinfmtPlaces => ({
  misc: '/proc/sys/fs/binfmt_misc',
  lines: '/usr/lib/binfmt.d',
  package: packageName('qemu-user-static'),
  isRoot: process.getuid?.() === 0,
});

/** Whether this machine runs programs of an architecture, and how to enable it. */
export type Emulation =
  | { readonly state: 'native' | 'registered' | 'registrable' }
  | { readonly state: 'missing'; readonly what: string; readonly install: string }
  /** It is installed but not registered. */
  | { readonly state: 'unregistered'; readonly why: string; readonly hint: string };

/**
 * Whether programs of an architecture run here, natively or through qemu-user: used for image builds, containers, and
 * `harness doctor`. Changes nothing.
 * @param native the architecture of this machine.
 */
export async function emulationOf(
  arch: Arch,
  places: BinfmtPlaces = here(),
  native: Arch | undefined = nativeArch(),
): Promise<Emulation> {
  if (native?.name === arch.name) return { state: 'native' };
  const name = arch.qemu.binfmt;
  const { misc, lines, isRoot } = places;
  const entry = await readFile(join(misc, name), 'utf8').catch(() => '');
  const off = (await readFile(join(misc, 'status'), 'utf8').catch(() => 'enabled')).startsWith('disabled');
  if (entry.startsWith('enabled') && !off) {
    // The flag makes the kernel open the interpreter at registration, because root file systems do not contain it.
    if (/^flags: .*F/m.test(entry)) return { state: 'registered' };
    return {
      state: 'unregistered',
      why: `binfmt_misc has ${name} without the flag F, so it is not found in containers and images`,
      hint: `Remove it (echo -1 > ${join(misc, name)}) and install ${places.package}, whose line has the flag.`,
    };
  }
  if (entry !== '' || off)
    return {
      state: 'unregistered',
      why: `${off ? 'binfmt_misc' : name} is disabled in ${misc}`,
      hint: `As root: echo 1 > ${join(misc, off ? 'status' : name)}`,
    };
  if (!(await exists(join(lines, `${name}.conf`))))
    return {
      state: 'missing',
      what: `qemu-user for ${arch.name} (package ${places.package})`,
      install: `apt-get install -y --no-install-recommends ${places.package}`,
    };
  if (isRoot) return { state: 'registrable' };
  return {
    state: 'unregistered',
    why: `qemu-user for ${arch.name} is not registered in binfmt_misc: root has to do it once after each boot`,
    hint: `sudo sh -c 'mountpoint -q ${misc} || mount -t binfmt_misc binfmt_misc ${misc}; cat ${join(lines, `${name}.conf`)} > ${misc}/register'`,
  };
}

/**
 * Makes sure that this machine can run programs of an architecture: if nothing has registered qemu-user in binfmt_misc,
 * does so with the line of Debian's package. Needs root; in a container binfmt_misc has to be mounted first.
 * @throws InfraError with the next step.
 */
export async function ensureBinfmt(arch: Arch): Promise<void> {
  const places = here();
  const found = await emulationOf(arch, places);
  if (found.state === 'missing')
    throw new InfraError(`cannot run programs of ${arch.name}: ${found.what} is missing`, { hint: found.install });
  if (found.state === 'unregistered')
    throw new InfraError(`cannot run programs of ${arch.name}: ${found.why}`, { hint: found.hint });
  if (found.state !== 'registrable') return;
  const { misc, lines } = places;
  const name = arch.qemu.binfmt;
  try {
    await access(join(misc, 'register')).catch(() =>
      run(['mount', '-t', 'binfmt_misc', 'binfmt_misc', misc], { purpose: 'mount binfmt_misc' }),
    );
    await writeFile(join(misc, 'register'), (await readFile(join(lines, `${name}.conf`), 'utf8')).trim());
  } catch (cause) {
    // Two runs may have started at once, so only the final state matters.
    if ((await emulationOf(arch, places)).state === 'registered') return;
    throw new InfraError(`cannot register qemu-user for ${arch.name} in binfmt_misc`, {
      cause,
      hint: `In a container, binfmt_misc has to be registered on its host: cat ${join(lines, `${name}.conf`)} > ${misc}/register`,
    });
  }
}
