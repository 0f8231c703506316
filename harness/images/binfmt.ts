import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arch, nativeArch } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { run } from '../base/process.ts';
import { packageName } from '../setup/system-packages.mjs';

/** Where the kernel and Debian's packages keep what there is to know. */
export interface BinfmtPlaces {
  /** The kernel's binfmt_misc. */
  readonly misc: string;
  /** The lines that the package of qemu-user brings. */
  readonly lines: string;
  /** What this distribution calls that package. */
  readonly package: string;
  readonly isRoot: boolean;
}

const here = (): BinfmtPlaces => ({
  misc: '/proc/sys/fs/binfmt_misc',
  lines: '/usr/lib/binfmt.d',
  package: packageName('qemu-user-static'),
  isRoot: process.getuid?.() === 0,
});

/** Whether this machine runs programs of an architecture, and what would have to be done. */
export type Emulation =
  | { readonly state: 'native' | 'registered' | 'registrable' }
  | { readonly state: 'missing'; readonly what: string; readonly install: string }
  /** It is installed, and somebody else has to do something. */
  | { readonly state: 'unregistered'; readonly why: string; readonly hint: string };

/**
 * The one judgement of whether programs of an architecture run here, natively or through qemu-user: while images are
 * built, in containers, and for `harness doctor`. Nothing is changed.
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
    // The interpreter is opened once, when it is registered: a root file system does not have it in itself.
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
 * Makes sure that this machine can run programs of an architecture: registers qemu-user in binfmt_misc, with the line
 * that Debian's package brings, when nothing has. Needs root; in a container binfmt_misc has to be mounted first.
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
    // Two runs may have begun at once: what counts is whether it is registered now.
    if ((await emulationOf(arch, places)).state === 'registered') return;
    throw new InfraError(`cannot register qemu-user for ${arch.name} in binfmt_misc`, {
      cause,
      hint: `In a container, binfmt_misc has to be registered on its host: cat ${join(lines, `${name}.conf`)} > ${misc}/register`,
    });
  }
}
