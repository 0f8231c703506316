import { createWriteStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { type Arch, architectures, nativeArch } from '../arch/index.ts';
import { InfraError, StackError } from '../base/errors.ts';
import { shellQuote } from '../base/text.ts';
import { withCurrentLists } from './absent.ts';
import type { ImageRequest } from './build.ts';
import { elfMachineOf } from './elf.ts';
import {
  ensureCanBuild,
  GIB,
  inScratch,
  limitsOf,
  openLayers,
  ROOTFS,
  rootfsLayers,
  rootfsPackages,
} from './layers.ts';
import { type BuildPlace, startingFrom } from './rootfs.ts';
import { sourceFiles } from './source-package.ts';
import { BUILD_ENVIRONMENT, type BuildStep, runSteps } from './steps.ts';

/** Where software comes from: a Debian source package, or a folder. */
type SoftwareOrigin = { readonly debian: string } | { readonly folder: string };

/** The same, of a folder with its files and their digests. */
export type SoftwareSource =
  | { readonly debian: string }
  | { readonly folder: string; readonly entries: readonly { readonly path: string; readonly digest: string }[] };

/** What is known of software before its source has been read. */
export type SoftwareTools = Omit<SoftwareRequest, 'source'> & { readonly source: SoftwareOrigin };

/** What software is made of, and what is wanted of it. */
export interface SoftwareRequest
  extends Pick<ImageRequest, 'settings' | 'arch' | 'suite' | 'signal' | 'progress' | 'warn' | 'phase'> {
  readonly source: SoftwareSource;
  /** Packages that the commands need, for the architecture that they run on. */
  readonly needs: readonly string[];
  /**
   * Further ones where that is not the wanted architecture; `$DEB_HOST_ARCH` and `$DEB_HOST_GNU_TYPE` stand for its names, as
   * Debian writes them in names of packages.
   */
  readonly cross: readonly string[];
  /** argv of each. */
  readonly commands: readonly (readonly string[])[];
  /** Each file that they make, below the source folder or absolute, and where it is wanted. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** Run them in a system of the wanted architecture. */
  readonly emulated: boolean;
}

/** A file that was made. */
export interface MadeFile {
  /** Where a machine gets it. */
  readonly path: string;
  /** Permission bits, octal: `0755`. */
  readonly mode: string;
  /** Where it is; it belongs to the cache and must not be written to. */
  readonly file: string;
}

/** Where the source is unpacked. */
const PLACE = '/build';
const SOURCE = `${PLACE}/source`;

/** In the cache entry: what the commands printed, and the modes of the files beside it. */
const LOG_FILE = 'build.log';
const MODES_FILE = 'modes.json';

/** Bytes of a log that are kept. */
const LOG_BYTES = 16 * 2 ** 20;

/** The architecture on which commands run. @throws InfraError when the harness does not know its own. */
export function builderOf({ arch, emulated }: Pick<SoftwareRequest, 'arch' | 'emulated'>): Arch {
  if (emulated) return arch;
  const own = nativeArch();
  if (!own)
    throw new InfraError(
      `cannot build software on a ${process.arch} machine: expected ${Object.keys(architectures).join(', ')}`,
    );
  return own;
}

/** What commands read of the architecture that they build for, as `NAME=value`. */
export function softwareEnvironment({ name, docker, debian, gnu }: Arch): string[] {
  return [
    `HARNESS_ARCH=${name}`,
    // A platform of Docker's is Go's: linux/arm64.
    `GOARCH=${docker.split('/')[1]}`,
    `DEB_HOST_ARCH=${debian}`,
    `DEB_HOST_GNU_TYPE=${gnu}`,
  ];
}

/**
 * Makes software from source for an architecture, or finds it in the cache under a key of the source, the packages and the
 * commands. They run on this machine's architecture (a compiler crosses) or through qemu-user, in a root of their own without
 * a network, within the limits of image builds.
 * @returns the files, as they are put into an image.
 * @throws StackError naming the command that failed, or the file that is missing or for another architecture.
 */
export function makeSoftware(request: SoftwareRequest): Promise<MadeFile[]> {
  return withCurrentLists(() => make(request), request.progress);
}

async function make(request: SoftwareRequest): Promise<MadeFile[]> {
  const { arch, source, commands, artifacts, settings, signal, progress } = request;
  const builder = builderOf(request);
  const name = nameOf(request);
  const said = (message: string) => progress?.(`${name}: ${message}`);
  const tools = toolsFor(request, builder, said);
  const { apt, layer } = await openLayers(tools);
  const { rootfs } = await rootfsLayers(tools, apt, layer);
  const from = 'debian' in source ? await sourceFiles(source.debian, settings, { signal, progress: said }) : undefined;
  const ingredients = {
    rootfs: rootfs.key,
    source: 'debian' in source ? await descriptionIn(from!) : source.entries,
    ...{ commands, artifacts: Object.keys(artifacts), environment: softwareEnvironment(arch) },
  };
  const entry = await layer('software', `${request.suite} ${name}`, ingredients, 4 * GIB, async (folder) => {
    await ensureCanBuild(tools);
    await inScratch(folder, async (scratch) => {
      const place: BuildPlace = {
        ...{ settings, arch: builder, apt, scratch, signal, progress: said },
        limits: limitsOf(settings),
      };
      await runCommands(place, request, { rootfs: join(rootfs.folder, ROOTFS), from, folder });
    });
    await checkMade(folder, request);
  });
  return filesIn(entry.folder, artifacts);
}

/** The system that the commands run in. */
function toolsFor(request: SoftwareTools, builder: Arch, progress: (message: string) => void): ImageRequest {
  return {
    ...request,
    arch: builder,
    progress,
    packages: packagesFor(request, builder),
    files: [],
    build: { commands: [], files: [] },
    services: { enabled: [], disabled: [] },
    containers: [],
    containersOnDisk: false,
    diskBytes: 0,
  };
}

/**
 * Looks up the packages that software needs, before anything is built.
 * @throws UnknownPackagesError naming those that do not exist.
 */
export async function resolveSoftware(request: SoftwareTools): Promise<void> {
  const tools = toolsFor(request, builderOf(request), () => {});
  const { apt } = await openLayers(tools);
  await apt.resolve(rootfsPackages(tools));
}

/** The packages of the system that the commands run in. */
export function packagesFor(
  { arch, needs, cross, source }: Pick<SoftwareTools, 'arch' | 'needs' | 'cross' | 'source'>,
  builder: Arch,
): string[] {
  const gnu = arch.gnu.replaceAll('_', '-');
  const named = cross.map((name) =>
    name.replaceAll('$DEB_HOST_GNU_TYPE', gnu).replaceAll('$DEB_HOST_ARCH', arch.debian),
  );
  const unpack = 'debian' in source ? ['dpkg-dev'] : [];
  return [...new Set([...needs, ...(builder.name === arch.name ? [] : named), ...unpack])];
}

/** How the software is called in messages. */
function nameOf({ source, suite }: Pick<SoftwareRequest, 'source' | 'suite'>): string {
  return 'debian' in source ? source.debian : suite;
}

/** The text of a source package's description, which has the digests of all its files. */
async function descriptionIn(folder: string): Promise<string> {
  const file = (await readdir(folder)).find((name) => name.endsWith('.dsc'));
  if (file === undefined) throw new InfraError(`cannot use the source package in ${folder}: it has no .dsc`);
  return readFile(join(folder, file), 'utf8');
}

interface Inputs {
  readonly rootfs: string;
  /** The folder of a source package's files. */
  readonly from: string | undefined;
  /** The cache entry that is being made. */
  readonly folder: string;
}

async function runCommands(
  place: BuildPlace,
  request: SoftwareRequest,
  { rootfs, from, folder }: Inputs,
): Promise<void> {
  const { commands, artifacts, arch, source } = request;
  const environment = [...BUILD_ENVIRONMENT, ...softwareEnvironment(arch)].join(' ');
  // Of its own network such a command has the loopback only.
  const inside = (argv: readonly string[]) =>
    `unshare --net sh -c 'ip link set lo up; exec "$@"' alone chroot "$1" env -i ${environment} ${argv.map(shellQuote).join(' ')} </dev/null`;
  const inSource = (argv: readonly string[]): BuildStep => ({
    argv,
    line: inside(['sh', '-c', `cd ${SOURCE} && exec "$@"`, 'run', ...argv]),
  });
  const unpack: BuildStep[] =
    from === undefined
      ? []
      : [
          {
            argv: ['dpkg-source', '--extract'],
            line: inside(['sh', '-c', `exec dpkg-source --no-check --extract ${PLACE}/files/*.dsc ${SOURCE}`]),
          },
        ];
  const log = createWriteStream(join(folder, LOG_FILE));
  try {
    await runSteps(place, {
      setUp: [startingFrom(rootfs), `mkdir -p "$1${PLACE}"`, await copyLine(source, from, place.scratch)],
      steps: [...unpack, ...commands.map(inSource)],
      after: Object.keys(artifacts).map((path, index) => takeLine(path, join(folder, String(index)))),
      purpose: `build ${nameOf(request)} for ${arch.name}`,
      failure: {
        what: `cannot build ${nameOf(request)} for ${arch.name}`,
        hint: `It ran on ${place.arch.name}, in a system of its own without a network.${request.emulated || place.arch.name === arch.name ? '' : ' What cannot be cross-compiled may be built with `emulated: true`.'}`,
      },
      onLine(line) {
        if (log.bytesWritten < LOG_BYTES) log.write(`${line}\n`);
      },
    });
  } finally {
    log.end();
    await finished(log);
  }
}

/** A hook that puts the source into the root. */
async function copyLine(source: SoftwareSource, from: string | undefined, scratch: string): Promise<string> {
  if ('debian' in source) return `cp -R ${shellQuote(from!)} "$1${PLACE}/files"`;
  const list = join(scratch, 'source-files');
  await writeFile(list, source.entries.map(({ path }) => `./${path}\0`).join(''));
  const pack = `tar -C ${shellQuote(source.folder)} --null --no-recursion --files-from=${shellQuote(list)} -cf -`;
  return `mkdir "$1${SOURCE}"; ${pack} | tar -C "$1${SOURCE}" --no-same-owner -xf -`;
}

/**
 * A hook that takes a file out. Links are followed by a program inside, so that they lead nowhere else; a file that is not
 * there leaves nothing.
 */
function takeLine(path: string, to: string): string {
  const at = shellQuote(path.startsWith('/') ? path : `${SOURCE}/${path}`);
  const take = `chroot "$1" cat ${at} > ${shellQuote(to)} && chroot "$1" stat -L -c %a ${at} > ${shellQuote(`${to}.mode`)}`;
  return `if chroot "$1" test -f ${at}; then ${take}; fi`;
}

/** @throws StackError when a file is missing, or a program is for another architecture. */
async function checkMade(folder: string, { arch, artifacts, ...request }: SoftwareRequest): Promise<void> {
  const modes: string[] = [];
  for (const [index, path] of Object.keys(artifacts).entries()) {
    const file = join(folder, String(index));
    const mode = await readFile(`${file}.mode`, 'utf8').catch(() => undefined);
    const what = `cannot build ${nameOf(request)} for ${arch.name}`;
    if (mode === undefined)
      throw new StackError(`${what}: its commands made no file ${path}`, {
        hint: 'Paths of `artifacts` are relative to the source folder, or absolute in the system that they run in.',
      });
    const machine = await elfMachineOf(file);
    if (machine !== undefined && machine !== arch.elf) {
      const other = Object.values(architectures).find(({ elf }) => elf === machine);
      throw new StackError(`${what}: ${path} is a program for ${other?.name ?? `ELF machine ${machine}`}`, {
        hint: 'Its commands have to use $GOARCH, $DEB_HOST_GNU_TYPE or $HARNESS_ARCH; what cannot be cross-compiled may be built with `emulated: true`.',
      });
    }
    modes.push(mode.trim().padStart(4, '0').slice(-4));
  }
  await writeFile(join(folder, MODES_FILE), JSON.stringify(modes));
}

async function filesIn(folder: string, artifacts: SoftwareRequest['artifacts']): Promise<MadeFile[]> {
  const modes = JSON.parse(await readFile(join(folder, MODES_FILE), 'utf8')) as string[];
  return Object.values(artifacts).map((path, index) => ({
    path,
    mode: modes[index]!,
    file: join(folder, String(index)),
  }));
}
