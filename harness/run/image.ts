import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { architectures } from '../arch/index.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { buildImage, type Image, type ImageRequest } from '../images/build.ts';
import type { ImageFile } from '../images/disk.ts';
import type { ImageSettings } from '../images/settings.ts';
import type { Cell } from '../matrix/cell.ts';

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
  cell: Pick<Cell, 'arch' | 'suite'>,
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

async function filesOf(suite: Suite): Promise<ImageFile[]> {
  return Promise.all(
    suite.stack.files.map(async ({ path, from, content, mode }) => ({
      path,
      mode,
      content: from === undefined ? Buffer.from(content ?? '') : await readFile(join(suite.folder, from)),
    })),
  );
}
