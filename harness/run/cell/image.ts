import { type ArchName, architectures } from '../../arch/index.ts';
import { InfraError, messageOf, UnsupportedError } from '../../base/errors.ts';
import type { Matrix, Suite } from '../../config/suite.ts';
import { UnknownPackagesError } from '../../images/apt.ts';
import {
  buildContainers,
  buildImage,
  type ContainerSpec,
  type Image,
  type ImageRequest,
  resolvePackages,
} from '../../images/build.ts';
import { buildSystem, type SystemImage } from '../../images/build-system.ts';
import type { ImageFile } from '../../images/files.ts';
import { missingModules } from '../../images/modules.ts';
import { type Pins, pinnedImage } from '../../images/pins.ts';
import type { ImageSettings } from '../../images/settings.ts';
import type { MadeFile } from '../../images/software.ts';
import type { Cell } from '../../matrix/cell.ts';
import { needsOf } from '../../matrix/gate.ts';
import { nodeArchsOf } from '../../matrix/nodes.ts';
import { packagesIn, type ReleaseName } from '../../releases/index.ts';
import { buildCommands } from '../../stacks/build.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import type { BootFiles } from '../../targets/blank.ts';
import { kinds } from '../../targets/kinds.ts';
import { bootFilesOf, ramdiskFiles } from './blank-images.ts';
import { checkSoftware, contentsOf, makeSoftwareOf } from './software.ts';
import { contentOf, plainFilesOf } from './suite-contents.ts';
import { placedIn } from './unknown-packages.ts';

/** The image settings that all cells of a matrix share; each cell has its own release. */
export interface CommonSettings extends Omit<ImageSettings, 'release'> {
  /** The images of a plan; no others are used, unless it says so. Absent: images are built from today's packages. */
  readonly pins?: Pins | undefined;
}

/** The image settings of a matrix. */
export function imageSettings(matrix: Pick<Matrix, 'images'>, cache: string, pins?: Pins): CommonSettings {
  return {
    pins,
    mirror: matrix.images.mirror,
    refreshHours: matrix.images['refresh-hours'],
    buildMemoryBytes: matrix.images['build-memory'] * 2 ** 20,
    buildMs: matrix.images['build-minutes'] * 60_000,
    cache,
  };
}

/** What was built for the machines of an architecture; for existing machines, only container images. */
export type CellImage =
  | Image
  | SystemImage
  | (Pick<Image, 'containers' | 'unconfigured' | 'cached'> &
      Partial<Pick<Image, 'packages'>> & {
        /** What the suite makes from source, to be put there when the stack is deployed. */
        readonly software?: readonly MadeFile[];
      });
export type CellImages = ReadonlyMap<ArchName, CellImage> & {
  /** What starts blank nodes that no firmware of a package starts. */
  readonly boot?: ReadonlyMap<ArchName, BootFiles>;
};

export type BuildIo = Pick<ImageRequest, 'signal' | 'progress' | 'phase' | 'warn'>;

/** Builds the image of a suite for an architecture, or finds it in the cache. */
export async function imageOf(
  cell: { readonly arch: ArchName; readonly suite: Suite; readonly release: ReleaseName },
  settings: CommonSettings,
  io: BuildIo,
): Promise<Image> {
  return buildImage(await withSoftware(await requestFor(cell, settings, io), cell.suite));
}

/**
 * Looks up the packages of a cell's images on each of its architectures, so that a typo is found in seconds and not
 * after other images have been built.
 * @throws ConfigError at their place in suite.yaml, with a suggestion.
 */
export async function checkPackages(
  cell: Pick<Cell, 'arch' | 'target' | 'suite' | 'release'>,
  settings: CommonSettings,
  io: BuildIo,
): Promise<void> {
  const what = kinds[cell.target].image;
  // The packages of a plan were looked up when it was made.
  if (settings.pins) return;
  await Promise.all(
    nodeArchsOf(cell).map(async (arch) => {
      const request = await requestFor({ ...cell, arch }, settings, io);
      await resolvePackages(request, what);
      await checkSoftware(cell.suite, arch, request.settings, io);
    }),
  ).catch(async (error: unknown) => {
    throw error instanceof UnknownPackagesError ? await placedIn(cell.suite, error) : error;
  });
}

/**
 * Builds the images that a cell's machines start from, one per architecture, or finds them in the cache. Of a plan's images that
 * are optional a cell has all, or builds its own.
 */
export async function imagesOf(
  cell: Pick<Cell, 'arch' | 'target' | 'suite' | 'release'>,
  settings: CommonSettings,
  io: BuildIo,
): Promise<CellImages> {
  if (!settings.pins?.optional) return theImagesOf(cell, settings, io);
  try {
    return await theImagesOf(cell, settings, io);
  } catch (error) {
    if (!(error instanceof InfraError) || io.signal?.aborted) throw error;
    io.warn?.(`cannot take the images of the plan, and builds others: ${messageOf(error)}`);
    return theImagesOf(cell, { ...settings, pins: undefined }, io);
  }
}

async function theImagesOf(
  cell: Pick<Cell, 'arch' | 'target' | 'suite' | 'release'>,
  settings: CommonSettings,
  io: BuildIo,
): Promise<CellImages> {
  const what = kinds[cell.target].image;
  const archs = nodeArchsOf(cell);
  // In those of a plan they are already.
  const ramdisks = settings.pins ? [] : await ramdiskFiles(cell, settings, io);
  const images = archs.map(async (arch): Promise<[ArchName, CellImage]> => {
    const named = (text: string) => (archs.length > 1 ? `${arch}: ${text}` : text);
    const request = await requestFor({ ...cell, arch }, settings, {
      ...io,
      progress: (message) => io.progress?.(named(message)),
      phase: (phase) => io.phase?.({ ...phase, name: named(phase.name) }),
    });
    if (settings.pins) {
      const name = { what, arch, release: cell.release, suite: cell.suite.name };
      const image = await pinnedImage<CellImage>(settings.pins, name, settings.cache, io);
      if (what === 'disk') await checkModules(arch, cell.suite, image as Image);
      return [arch, { ...image, cached: true }];
    }
    if (what === 'none') {
      const software = await makeSoftwareOf(cell.suite, arch, request.settings, request);
      const made = software.length > 0 ? { software } : {};
      return [arch, { ...(await buildContainers(request)), ...made, unconfigured: [], cached: true }];
    }
    const whole = await withSoftware(request, cell.suite);
    if (what === 'system') return [arch, await buildSystem(whole)];
    const image = await buildImage({ ...whole, files: [...whole.files, ...ramdisks] });
    await checkModules(arch, cell.suite, image);
    return [arch, image];
  });
  const made = new Map(await Promise.all(images));
  return Object.assign(made, { boot: await bootFilesOf(cell, settings, io) });
}

/** @throws UnsupportedError when the kernel lacks a module that the suite needs; otherwise it would fail much later. */
async function checkModules(arch: ArchName, suite: Suite, image: Image): Promise<void> {
  const missing = await missingModules(image.modules, needsOf(suite).kernelModules);
  if (missing.length > 0)
    throw new UnsupportedError(
      `the suite needs the kernel module ${missing.join(', ')}, which the kernel of ${arch} images does not have`,
      { hint: 'Images keep those modules of Debian’s kernel that a virtual machine can use.' },
    );
}

/** An image's request with the files of the software that the suite makes from source: there before any build command. */
async function withSoftware(request: ImageRequest, suite: Suite): Promise<ImageRequest> {
  const software = await contentsOf(await makeSoftwareOf(suite, request.arch.name, request.settings, request));
  if (software.length === 0) return request;
  const { files, build } = request;
  return build.commands.length === 0
    ? { ...request, files: [...files, ...software] }
    : { ...request, build: { ...build, files: [...build.files, ...software] } };
}

async function requestFor(
  { arch, suite, release }: { readonly arch: ArchName; readonly suite: Suite; readonly release: ReleaseName },
  settings: CommonSettings,
  io: BuildIo,
): Promise<ImageRequest> {
  return {
    settings: { ...settings, release },
    arch: architectures[arch],
    suite: suite.name,
    ...partsOf(
      suite,
      await filesOf(
        suite,
        suite.stack.files.filter((file) => !isBuilt(suite, file)),
      ),
      release,
    ),
    build: {
      commands: buildCommands(suite),
      files: await filesOf(
        suite,
        suite.stack.files.filter((file) => isBuilt(suite, file)),
      ),
    },
    containers: await containersOf(suite, arch, release),
    containersOnDisk: suite.stack.registry === undefined,
    services: suite.stack.services,
    diskBytes: suite.machine.disk * 2 ** 20,
    ...io,
  };
}

/** The disk contents of every machine of an architecture: the suite's own, and what its deployers add. */
function partsOf(suite: Suite, files: ImageFile[], release: ReleaseName): Pick<ImageRequest, 'packages' | 'files'> {
  const added = deployersOf(suite).flatMap(({ disk }) => disk?.(suite) ?? []);
  const written = added.flatMap(({ files }) =>
    Object.entries(files).map(([path, content]) => ({ path, mode: '0644', content: Buffer.from(content) })),
  );
  return {
    packages: [...packagesIn(release, suite.stack.packages), ...added.flatMap(({ packages }) => packages)],
    files: [...files, ...written],
  };
}

/** The container images that exist for an architecture and a release. */
async function containersOf(suite: Suite, cellArch: ArchName, cellRelease: ReleaseName): Promise<ContainerSpec[]> {
  const built = suite.stack.images.filter(
    ({ arch, release }) =>
      (arch === undefined || arch.includes(cellArch)) && (release === undefined || release.includes(cellRelease)),
  );
  return Promise.all(
    built.map(async ({ arch: _, release: __, files, packages, ...image }) => ({
      ...image,
      packages: packagesIn(cellRelease, packages),
      files: await plainFilesOf(suite, files),
    })),
  );
}

/** Whether a file is in the image before its build commands run, so that their result depends on it. */
function isBuilt(suite: Suite, file: Suite['stack']['files'][number]): boolean {
  return file.build === true && buildCommands(suite).length > 0;
}

/** Files of a suite with their contents. */
export function filesOf(suite: Suite, files: Suite['stack']['files']): Promise<ImageFile[]> {
  return Promise.all(
    files.map(async (file): Promise<ImageFile> => {
      const { path, owner, group } = file;
      if (file.absent) return { path, absent: true };
      if (file.link !== undefined) return { path, link: file.link };
      if (file.folder) return { path, folder: true, mode: file.mode ?? '0755', owner, group };
      return { path, mode: file.mode ?? '0644', owner, group, content: await contentOf(suite, file) };
    }),
  );
}
