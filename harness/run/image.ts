import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchName, architectures } from '../arch/index.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { buildImage, type Image, type ImageRequest } from '../images/build.ts';
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
    packages: suite.stack.packages,
    files: await filesOf(suite),
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
  const images = new Map<ArchName, Image>();
  for (const arch of archs) {
    const named = (text: string) => (archs.length > 1 ? `${arch}: ${text}` : text);
    const image = await imageOf({ arch, suite: cell.suite }, settings, {
      ...io,
      progress: (message) => io.progress?.(named(message)),
      phase: (phase) => io.phase?.({ ...phase, name: named(phase.name) }),
    });
    images.set(arch, image);
  }
  return images;
}

async function filesOf(suite: Suite): Promise<ImageFile[]> {
  return Promise.all(
    suite.stack.files.map(async ({ path, from, content, mode }) => ({
      path,
      mode,
      content: from === undefined ? Buffer.from(content ?? '') : await readFile(join(suite.folder, from)),
    })),
  );
}
