import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arch, architectures, nativeArch } from '../arch/index.ts';
import { InfraError, StackError } from '../base/errors.ts';
import { withCurrentLists } from './absent.ts';
import type { ImageRequest } from './build.ts';
import type { CacheEntry } from './cache.ts';
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
import { sourceFiles } from './source-package.ts';
import { packLine, runInSource, type SourcePlace, type SourceTree, takeLine } from './source-tree.ts';

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
  /** argv of each of those that run first, once for all architectures: the tree that they leave is where the others start. */
  readonly prepare: readonly (readonly string[])[];
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

/** In the cache entry: the modes of the files beside it. */
const MODES_FILE = 'modes.json';

/** In the cache entry of a prepared source. */
const TREE_FILE = 'source.tar';

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
  const { arch, source, commands, artifacts, settings, signal } = request;
  const said = (message: string) => request.progress?.(`${softwareName(request)}: ${message}`);
  const files = 'debian' in source ? await sourceFiles(source.debian, settings, { signal, progress: said }) : undefined;
  const origin: Origin = {
    tree: 'debian' in source ? { package: files! } : source,
    key: 'debian' in source ? await descriptionIn(files!) : source.entries,
  };
  const { tree, key } = request.prepare.length === 0 ? origin : await prepare(request, origin, said);
  const entry = await softwareLayer(request, {
    builder: builderOf(request),
    label: softwareName(request),
    ingredients: { source: key, commands, artifacts: Object.keys(artifacts), environment: softwareEnvironment(arch) },
    said,
    async build(place, folder) {
      const take = Object.keys(artifacts).map((path, index) => takeLine(path, join(folder, String(index))));
      const environment = softwareEnvironment(arch);
      await runInSource(place, { tree, commands, environment, after: take, folder, ...saying(request, arch.name) });
      await checkMade(folder, request);
    },
  });
  return filesIn(entry.folder, artifacts);
}

/** A source, and what it adds to a key. */
interface Origin {
  readonly tree: SourceTree;
  readonly key: unknown;
}

/** Runs what is the same for all architectures, on this machine's own, or finds in the cache what it leaves. */
async function prepare(
  request: SoftwareRequest,
  { tree, key }: Origin,
  said: (message: string) => void,
): Promise<Origin> {
  const { prepare: commands } = request;
  const builder = builderOf({ arch: request.arch, emulated: false });
  const entry = await softwareLayer(
    // The compilers that cross are another architecture's, and would make a layer for each.
    { ...request, cross: [] },
    {
      ...{ builder, said, label: `${softwareName(request)} prepared`, ingredients: { source: key, prepare: commands } },
      async build(place, folder) {
        const keep = packLine(join(folder, TREE_FILE));
        await runInSource(place, {
          ...{ tree, commands, environment: [], after: [keep], folder },
          ...saying(request, 'all architectures'),
        });
      },
    },
  );
  return { tree: { packed: join(entry.folder, TREE_FILE) }, key: entry.key };
}

interface SoftwareLayer {
  /** The architecture that the commands run on. */
  readonly builder: Arch;
  readonly label: string;
  readonly ingredients: object;
  said(message: string): void;
  build(place: SourcePlace, folder: string): Promise<void>;
}

/** Finds in the cache or builds what commands make in a system with the packages of the request. */
async function softwareLayer(
  request: SoftwareRequest,
  { builder, label, ingredients, said, build }: SoftwareLayer,
): Promise<CacheEntry> {
  const { settings, signal, suite } = request;
  const tools = toolsFor(request, builder, said);
  const { apt, layer } = await openLayers(tools);
  const { rootfs } = await rootfsLayers(tools, apt, layer);
  return layer('software', `${suite} ${label}`, { rootfs: rootfs.key, ...ingredients }, 4 * GIB, async (folder) => {
    await ensureCanBuild(tools);
    await inScratch(folder, async (scratch) => {
      const place = { settings, arch: builder, apt, scratch, signal, progress: said, limits: limitsOf(settings) };
      await build({ ...place, rootfs: join(rootfs.folder, ROOTFS) }, folder);
    });
  });
}

/** How messages call what is built, and what they advise. */
function saying(request: SoftwareRequest, arch: string): { readonly what: string; readonly hint: string } {
  const crosses = builderOf(request).name !== request.arch.name;
  return {
    what: `build ${softwareName(request)} for ${arch}`,
    hint: crosses ? 'What cannot be cross-compiled may be built with `emulated: true`.' : '',
  };
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
function softwareName({ source, suite }: Pick<SoftwareRequest, 'source' | 'suite'>): string {
  return 'debian' in source ? source.debian : suite;
}

/** The text of a source package's description, which has the digests of all its files. */
async function descriptionIn(folder: string): Promise<string> {
  const file = (await readdir(folder)).find((name) => name.endsWith('.dsc'));
  if (file === undefined) throw new InfraError(`cannot use the source package in ${folder}: it has no .dsc`);
  return readFile(join(folder, file), 'utf8');
}

/** @throws StackError when a file is missing, or a program is for another architecture. */
async function checkMade(folder: string, { arch, artifacts, ...request }: SoftwareRequest): Promise<void> {
  const modes: string[] = [];
  for (const [index, path] of Object.keys(artifacts).entries()) {
    const file = join(folder, String(index));
    const mode = await readFile(`${file}.mode`, 'utf8').catch(() => undefined);
    const what = `cannot build ${softwareName(request)} for ${arch.name}`;
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
