import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from '../arch/index.ts';
import { GUEST_FILES, MASKED_UNITS, maskedGenerators } from '../guest/init.ts';
import { type ReleaseName, releases } from '../releases/index.ts';
import { withCurrentLists } from './absent.ts';
import { type Accounts, accountsOf } from './accounts.ts';
import type { Apt, ResolvedPackage } from './apt.ts';
import { broughtFiles, divideFiles } from './brought.ts';
import { keyOf } from './cache.ts';
import { buildContainer, CONTAINER_FILE, CONTAINER_RECIPE, type ContainerRequest } from './container.ts';
import type { CpioEntry } from './cpio.ts';
import { buildDisk, DISK_FILE, type UnitStates } from './disk.ts';
import { digests, type ImageFile, type PlainFile } from './files.ts';
import { KERNEL_FILES, resolveKernel } from './kernel.ts';
import { kernelLayer } from './kernel-layer.ts';
import { GIB, type LayerOf, openLayers, ROOTFS, rootfsLayers, rootfsPackages } from './layers.ts';
import { type ImagePackages, imagePackages } from './packages.ts';
import type { ImageSettings } from './settings.ts';

/** The inputs of a suite's image for one architecture. */
export interface ImageRequest {
  readonly settings: ImageSettings;
  readonly arch: Arch;
  /** The suite's name, for people. */
  readonly suite: string;
  readonly packages: readonly string[];
  readonly files: readonly ImageFile[];
  /** Commands that run in the image when it is made, and the files that are there then. */
  readonly build: { readonly commands: readonly (readonly string[])[]; readonly files: readonly ImageFile[] };
  readonly services: UnitStates;
  readonly containers: readonly ContainerSpec[];
  /** Whether the container images are put on the disk, for the deployment to load. */
  readonly containersOnDisk: boolean;
  readonly diskBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Progress, for people. */
  readonly progress?: (message: string) => void;
  /** A warning that does not stop the build. */
  readonly warn?: (message: string) => void;
  /** The duration of a part, in milliseconds; cached parts are not reported. */
  readonly phase?: (phase: { readonly name: string; readonly durationMs: number }) => void;
}

/** A container image as a suite asks for it. */
export interface ContainerSpec
  extends Pick<ContainerRequest, 'tag' | 'exclude' | 'files' | 'command' | 'ports' | 'health'> {
  readonly packages: readonly string[];
  /** Packages to leave out, with what only they need. */
  readonly without: readonly string[];
}

/** Paths of container images on a machine's disk, in the order of the suite. */
export function containerPath(index: number): string {
  return `/usr/lib/harness/containers/${index}.tar`;
}

/** A bootable image. Its files belong to the cache and must not be written to. */
export interface Image {
  readonly key: string;
  /** What it was made of. */
  readonly release: ReleaseName;
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  /** Files of the suite that its initramfs brings, for its first boot. */
  readonly brought: readonly CpioEntry[];
  /** A tar file of the kernel's modules. */
  readonly modules: string;
  /** Its container images, as archives for `docker load`, in the order in which the suite names them. */
  readonly containers: readonly { readonly tag: string; readonly archive: string }[];
  /** Packages that are only unpacked on the disk: the machine configures them first of all. */
  readonly unconfigured: readonly string[];
  readonly packages: ImagePackages;
  /** True when nothing had to be built. */
  readonly cached: boolean;
}

/**
 * The image of a suite on an architecture, from the cache or made from Debian's packages. Four layers, each under a
 * key of everything that goes in: the kernel; Debian's essential packages and systemd (shared by all suites); the
 * suite's packages, and what its build commands make; its disk. Most files are not on the disk: the initramfs of a machine
 * brings them, so that changing a configuration file costs seconds.
 */
export function buildImage(request: ImageRequest): Promise<Image> {
  return withCurrentLists(() => build(request), request.progress);
}

async function build(request: ImageRequest): Promise<Image> {
  const { suite, signal } = request;
  const release = releases[request.settings.release];
  const { apt, layer } = await openLayers(request);
  const { base, rootfs, resolved, unconfigured } = await rootfsLayers(request, apt, layer);
  const { entry: boot, kernel } = await kernelLayer(request, apt, layer);
  const { containers, inside } = await containerArchives(request, apt, layer);
  const { travelling, onDisk } = divideFiles(request.files);
  const files = [...onDisk, ...(request.containersOnDisk ? await filesFor(containers) : [])];
  const disk = await layer(
    'disk',
    suite,
    diskIngredients(request, files, travelling, { rootfs: rootfs.key, kernel: boot.key, unconfigured }),
    2 * GIB,
    async (folder) => {
      const accounts = await accountsOf(join(rootfs.folder, ROOTFS));
      await buildDisk({
        rootfs: join(rootfs.folder, ROOTFS),
        modules: join(boot.folder, KERNEL_FILES.modules),
        files,
        accounts,
        services: request.services,
        ownUnits: unitsIn(travelling),
        maskedGenerators: maskedGenerators(release),
        unconfigured,
        sizeBytes: request.diskBytes,
        folder,
        signal,
      });
      await writeFile(join(folder, ACCOUNTS_FILE), JSON.stringify(accounts));
    },
  );
  const accounts = JSON.parse(await readFile(join(disk.folder, ACCOUNTS_FILE), 'utf8')) as Accounts;
  return {
    // Where files travel the disk alone does not say what a machine has.
    key: travelling.length === 0 ? disk.key : keyOf({ disk: disk.key, files: digests(travelling) }),
    release: release.name,
    kernel: join(boot.folder, KERNEL_FILES.kernel),
    initrd: join(boot.folder, KERNEL_FILES.initrd),
    disk: join(disk.folder, DISK_FILE),
    brought: broughtFiles(travelling, accounts),
    modules: join(boot.folder, KERNEL_FILES.modules),
    containers,
    unconfigured,
    packages: imagePackages(request, apt, [...resolved, kernel, ...inside]),
    cached: [base, rootfs, boot, disk].every((entry) => entry.hit),
  };
}

/**
 * Looks up every package for a suite's builds, before anything is built.
 * @param what as `TargetProvider.image`.
 * @throws UnknownPackagesError naming those that do not exist.
 */
export async function resolvePackages(request: ImageRequest, what: 'disk' | 'system' | 'none'): Promise<void> {
  const containers = what === 'system' ? [] : request.containers;
  if (what === 'none' && containers.every(({ packages }) => packages.length === 0)) return;
  const { apt } = await openLayers(request);
  if (what !== 'none') await apt.resolve(rootfsPackages(request));
  if (what === 'disk') await resolveKernel(apt, request.arch);
  for (const { packages, without } of containers) if (packages.length > 0) await apt.resolve(packages, without);
}

/** Only the container images of a suite, for a machine with its own system. */
export async function buildContainers(
  request: ImageRequest,
): Promise<Pick<Image, 'containers'> & Partial<Pick<Image, 'packages'>>> {
  if (request.containers.length === 0) return { containers: [] };
  return withCurrentLists(async () => {
    const { apt, layer } = await openLayers(request);
    const { containers, inside } = await containerArchives(request, apt, layer);
    return { containers, packages: imagePackages({ ...request, packages: [] }, apt, inside) };
  }, request.progress);
}

/** The archives, and their packages. */
async function containerArchives(
  request: ImageRequest,
  apt: Apt,
  layer: LayerOf,
): Promise<Pick<Image, 'containers'> & { readonly inside: readonly ResolvedPackage[] }> {
  const { arch, signal } = request;
  const made: { tag: string; archive: string }[] = [];
  const inside: ResolvedPackage[] = [];
  for (const spec of request.containers) {
    const packages = spec.packages.length === 0 ? [] : await apt.resolve(spec.packages, spec.without);
    inside.push(...packages);
    const { files, without, ...rest } = spec;
    const ingredients = { ...rest, packages, files: digests(files), container: CONTAINER_RECIPE };
    const entry = await layer('container', spec.tag, ingredients, GIB, async (folder) => {
      if (packages.length > 0) await apt.download(spec.packages, without, request.progress);
      await buildContainer({ ...spec, arch, release: request.settings.release, apt, packages, signal }, folder);
    });
    made.push({ tag: spec.tag, archive: join(entry.folder, CONTAINER_FILE) });
  }
  return { containers: made, inside };
}

function filesFor(containers: Image['containers']): Promise<PlainFile[]> {
  return Promise.all(
    containers.map(async ({ archive }, index) => ({
      path: containerPath(index),
      mode: '0644',
      content: await readFile(archive),
    })),
  );
}

/** In the cache entry of a disk: its users and groups, as JSON. */
const ACCOUNTS_FILE = 'accounts.json';

/** Paths of systemd units among files. */
function unitsIn(files: readonly ImageFile[]): string[] {
  return files.map(({ path }) => path).filter((path) => /^\/(?:etc|(?:usr\/)?lib)\/systemd\/system\/[^/]+$/.test(path));
}

function diskIngredients(
  request: ImageRequest,
  files: readonly ImageFile[],
  travelling: readonly ImageFile[],
  from: { readonly rootfs: string; readonly kernel: string; readonly unconfigured: readonly string[] },
): unknown {
  const { rootfs, kernel, unconfigured } = from;
  return {
    rootfs,
    kernel,
    ...(unconfigured.length > 0 ? { unconfigured } : {}),
    guest: [GUEST_FILES, MASKED_UNITS, maskedGenerators(releases[request.settings.release])],
    files: digests(files),
    services: request.services,
    ownUnits: unitsIn(travelling),
    bytes: request.diskBytes,
  };
}
