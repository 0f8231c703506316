import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchName, architectures } from '../arch/index.ts';
import { REGISTRY, registryFiles } from '../config/registry.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { buildImage, type ContainerSpec, type Image, type ImageRequest } from '../images/build.ts';
import type { ImageFile } from '../images/disk.ts';
import type { ImageSettings } from '../images/settings.ts';
import type { Cell } from '../matrix/cell.ts';
import { nodesOf } from '../matrix/nodes.ts';

/** The image settings of a matrix. */
export function imageSettings(matrix: Pick<Matrix, 'images'>, cache: string): ImageSettings {
  return {
    mirror: matrix.images.mirror,
    release: matrix.images.release,
    refreshHours: matrix.images['refresh-hours'],
    cache,
  };
}

/** Builds, or finds, the image of a cell. */
export async function imageOf(
  cell: { readonly arch: ArchName; readonly suite: Suite },
  settings: ImageSettings,
  io: Pick<ImageRequest, 'signal' | 'progress' | 'phase' | 'warn'>,
): Promise<Image> {
  const { suite } = cell;
  return buildImage({
    settings,
    arch: architectures[cell.arch],
    suite: suite.name,
    ...registryParts(suite, await filesOf(suite, suite.stack.files)),
    containers: await containersOf(suite),
    containersOnDisk: suite.stack.registry === undefined,
    services: suite.stack.services,
    diskBytes: suite.machine.disk * 2 ** 20,
    ...io,
  });
}

/** Builds, or finds, the images of a cell: one for each architecture of its machines. */
export async function imagesOf(
  cell: Pick<Cell, 'arch' | 'suite'>,
  settings: ImageSettings,
  io: Pick<ImageRequest, 'signal' | 'progress' | 'phase' | 'warn'>,
): Promise<ReadonlyMap<ArchName, Image>> {
  const archs = [...new Set(nodesOf(cell).map(({ arch }) => arch))];
  const images = archs.map(async (arch) => {
    const named = (text: string) => (archs.length > 1 ? `${arch}: ${text}` : text);
    const image = await imageOf({ arch, suite: cell.suite }, settings, {
      ...io,
      progress: (message) => io.progress?.(named(message)),
      phase: (phase) => io.phase?.({ ...phase, name: named(phase.name) }),
    });
    return [arch, image] as const;
  });
  return new Map(await Promise.all(images));
}

/** A registry is on the disk of every machine of an architecture, as all of a stack is; it is started on one. */
function registryParts({ stack }: Suite, files: ImageFile[]): Pick<ImageRequest, 'packages' | 'files'> {
  const { packages, registry } = stack;
  if (registry === undefined) return { packages, files };
  const own = Object.entries(registryFiles(registry)).map(([path, content]) => {
    return { path, mode: '0644', content: Buffer.from(content) };
  });
  return { packages: [...packages, REGISTRY.package], files: [...files, ...own] };
}

async function containersOf(suite: Suite): Promise<ContainerSpec[]> {
  return Promise.all(
    suite.stack.images.map(async ({ files, ...image }) => ({ ...image, files: await filesOf(suite, files) })),
  );
}

async function filesOf(suite: Suite, files: Suite['stack']['files']): Promise<ImageFile[]> {
  return Promise.all(
    files.map(async ({ path, from, content, mode }) => ({
      path,
      mode,
      content: from === undefined ? Buffer.from(content ?? '') : await readFile(join(suite.folder, from)),
    })),
  );
}
