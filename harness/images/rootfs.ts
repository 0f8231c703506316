import { copyFile, link, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arch, nativeArch } from '../arch/index.ts';
import { makeFolder } from '../base/files.ts';
import { run } from '../base/process.ts';
import { shellQuote } from '../base/text.ts';
import type { Apt, ResolvedPackage } from './apt.ts';
import { asRoot } from './as-root.ts';
import { type BuildLimits, runGuarded } from './guard.ts';
import { nativeHelp } from './native.ts';
import { installProgress } from './progress.ts';
import type { ImageSettings } from './settings.ts';

/** Documentation and translations, which no test guest reads. Licences stay. */
const DPKG_OPTIONS = [
  'force-unsafe-io',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/info/*',
];

/** Where a root file system is made, and what that may take. */
export interface BuildPlace {
  readonly settings: ImageSettings;
  readonly arch: Arch;
  readonly apt: Apt;
  /** The tar file to write; absent: what hooks leave elsewhere is all that is wanted. */
  readonly output?: string;
  readonly scratch: string;
  readonly limits: BuildLimits;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((message: string) => void) | undefined;
}

export interface RootfsRequest extends BuildPlace {
  /** To install, beside what `onTop` has. */
  readonly packages: readonly string[];
  /** Everything that apt resolved for it, taken from our archive, so nothing is downloaded twice. */
  readonly resolved: readonly ResolvedPackage[];
  /** A root file system (tar) to install on top of; absent: from Debian's essential packages. */
  readonly onTop?: string;
  /** Of `resolved`: unpacked only, to be configured in the guest. */
  readonly unpacked: readonly ResolvedPackage[];
}

/**
 * Makes a root file system with mmdebstrap. Maintainer scripts of a foreign architecture run through qemu-user.
 * @throws OverrunError when a maintainer script takes more than the limits allow.
 */
export async function makeRootfs(request: RootfsRequest): Promise<void> {
  const { arch, apt, packages, resolved, unpacked, onTop, scratch } = request;
  const seed = join(scratch, 'seed');
  await seedArchive(seed, apt, resolved);
  // Named packages are configured, with their dependencies; so everything else has to be named.
  const include =
    unpacked.length === 0 ? packages : resolved.filter((one) => !unpacked.includes(one)).map(({ name }) => name);
  // apt would not leave packages unconfigured that others need; mmdebstrap's dpkg does.
  const byApt = onTop !== undefined && unpacked.length === 0;
  const help = byApt && nativeArch()?.name !== arch.name ? await nativeHelp(resolved) : undefined;
  await bootstrap(request, {
    variant: onTop ? 'custom' : 'essential',
    // On top of what is there apt installs: mmdebstrap would first unpack everything as if there were no dpkg.
    include: byApt ? [] : include,
    setUp: [
      // Package lists and archives that apt has verified already; mmdebstrap's own apt checks them against the lists.
      `mkdir -p "$1/var/lib/apt/lists/partial" "$1/var/cache/apt/archives/partial"`,
      ...(onTop ? [startingFrom(onTop)] : []),
      `cp -a ${shellQuote(join(seed, 'lists'))}/. "$1/var/lib/apt/lists/"`,
      `cp -al ${shellQuote(join(seed, 'archives'))}/. "$1/var/cache/apt/archives/" 2>/dev/null || cp -a ${shellQuote(join(seed, 'archives'))}/. "$1/var/cache/apt/archives/"`,
      ...(help?.before ?? []),
    ],
    customize: [
      ...(byApt ? [installHook(include)] : []),
      ...(unpacked.length > 0 ? [unpackHook(apt, unpacked)] : []),
      ...(help && help.after.length > 0 ? [`set -e; ${help.after.join('; ')}`] : []),
    ],
    purpose: `install ${packages.slice(0, 4).join(', ')}${packages.length > 4 ? ', …' : ''} for ${arch.name}`,
    onLine: installProgress(resolved.length, request.progress ?? (() => {})),
  });
}

/** What mmdebstrap is to do. */
interface Bootstrap {
  readonly variant: 'custom' | 'essential';
  readonly include: readonly string[];
  /** Lines of sh that run before packages are installed; the root is `$1`. */
  readonly setUp: readonly string[];
  /** The same, each by itself, once they are. */
  readonly customize: readonly string[];
  readonly purpose: string;
  readonly onLine: (line: string) => void;
}

/**
 * Runs mmdebstrap, in a mount and process namespace of its own, so that nothing is left mounted or running when it is
 * killed.
 * @throws OverrunError when something takes more than the limits allow.
 */
export async function bootstrap(place: BuildPlace, what: Bootstrap): Promise<void> {
  const { settings, arch, apt, output, scratch, signal } = place;
  const argv = [
    ...inNamespaces(),
    'mmdebstrap',
    // Root is this user in our own namespace. In mmdebstrap's it would be one of the user's subordinate ids, which cannot
    // read the user's home since Debian 13.
    '--mode=root',
    `--architectures=${arch.debian}`,
    `--variant=${what.variant}`,
    `--format=${output === undefined ? 'null' : 'tar'}`,
    // Each line of apt and dpkg, as it comes.
    '--verbose',
    '--skip=update',
    ...(what.include.length > 0 ? [`--include=${what.include.join(',')}`] : []),
    '--aptopt=APT::Install-Recommends "false"',
    ...DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`),
    `--setup-hook=set -e; ${what.setUp.join('; ')}`,
    ...what.customize.map((hook) => `--customize-hook=${hook}`),
    settings.release,
    output ?? '/dev/null',
    ...apt.sources,
  ];
  await runGuarded(argv, place.limits, {
    purpose: what.purpose,
    env: { TMPDIR: scratch, LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: '1' },
    onLine: what.onLine,
    ...(signal ? { cancelSignal: signal } : {}),
  });
}

/** Namespaces that end with the command, whatever it has mounted and started; for an ordinary user also root's rights in them. */
function inNamespaces(): string[] {
  const own = ['--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
  // Mounting /sys requires owning the network namespace that it shows. All downloads are done before.
  const [unshare, ...asUser] = asRoot([]);
  return unshare === undefined ? ['unshare', ...own, '--'] : [unshare, ...own, '--net', ...asUser];
}

/**
 * A hook that puts a root file system there to go on from. Nobody but the host's root may make devices; mmdebstrap
 * puts its own into the result.
 */
export function startingFrom(rootfs: string): string {
  return `tar -C "$1"${asRoot([]).length > 0 ? " --exclude='./dev/*'" : ''} -xf ${shellQuote(rootfs)}`;
}

/** A hook that installs, by this machine's apt with mmdebstrap's settings, which runs the dpkg of the root. */
function installHook(packages: readonly string[]): string {
  const settings = '-oDPkg::Chroot-Directory="$1" -oDPkg::Use-Pty=false';
  return `APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes ${settings} install ${packages.map(shellQuote).join(' ')}`;
}

/**
 * A hook that only unpacks: unconfigured dependencies are only a warning then, because nothing is configured. The first
 * hook has put the archives in place.
 */
function unpackHook(apt: Apt, unpacked: readonly ResolvedPackage[]): string {
  const names = unpacked.map((one) => apt.archive(one).replace(/.*\//, ''));
  const inside = names.map((name) => shellQuote(`/var/cache/apt/archives/${name}`)).join(' ');
  return `chroot "$1" env DEBIAN_FRONTEND=noninteractive dpkg --force-depends --unpack ${inside}`;
}

/** A folder with the package lists and only the required archives. */
async function seedArchive(seed: string, apt: Apt, resolved: readonly ResolvedPackage[]): Promise<void> {
  makeFolder(join(seed, 'archives'));
  makeFolder(join(seed, 'lists'));
  for (const name of await readdir(join(apt.folder, 'lists'))) {
    if (name === 'lock' || name === 'partial' || name === 'auxfiles') continue;
    await copyFile(join(apt.folder, 'lists', name), join(seed, 'lists', name));
  }
  for (const wanted of resolved) {
    const file = apt.archive(wanted);
    const copy = join(seed, 'archives', file.slice(file.lastIndexOf('/') + 1));
    await link(file, copy).catch(() => copyFile(file, copy));
  }
}

/** Writes a shell script and runs it as root (see `asRoot`), stopping at its first error. */
export async function runScript(
  lines: readonly string[],
  folder: string,
  purpose: string,
  signal?: AbortSignal,
): Promise<void> {
  const file = join(folder, 'steps.sh');
  await writeFile(file, `set -eu\n${lines.join('\n')}\n`);
  await run(asRoot(['sh', file]), { purpose, ...(signal ? { cancelSignal: signal } : {}) });
}
