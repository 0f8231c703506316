import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UnsupportedError } from '../base/errors.ts';
import { serviceFiles } from '../guest/service-manager.ts';
import type { ReleaseName } from '../releases/index.ts';
import { withCurrentLists } from './absent.ts';
import type { ImageRequest } from './build.ts';
import { CONTAINER_FILE } from './container.ts';
import { digests } from './files.ts';
import { knownForFirstBoot, whyFirstBoot } from './first-boot.ts';
import { GIB, isEmulated, openLayers, ROOTFS, rootfsLayers, rootfsPackages } from './layers.ts';
import { type ImagePackages, imagePackages } from './packages.ts';
import { buildSystemContainer, SYSTEM_FORMAT, TAG_FILE } from './system-container.ts';

/** The system image of a container, which has no kernel of its own. */
export interface SystemImage {
  readonly key: string;
  /** The packages it was made of. */
  readonly release: ReleaseName;
  /** Unique name and tag. */
  readonly tag: string;
  /** For `docker load`. */
  readonly archive: string;
  /** A container has no engine to load images into. */
  readonly containers: readonly [];
  /** No package remains to be configured. */
  readonly unconfigured: readonly [];
  readonly packages: ImagePackages;
  readonly cached: boolean;
}

/** @throws UnsupportedError if a container would have to configure packages through qemu-user. */
function refuse(arch: string, unconfigured: readonly string[]): void {
  if (unconfigured.length === 0) return;
  const why = unconfigured.map(whyFirstBoot).find((one) => one !== undefined);
  throw new UnsupportedError(
    `a container of ${arch} cannot have ${unconfigured.join(', ')}: qemu-user cannot configure ${unconfigured.length === 1 ? 'it' : 'them'}${why === undefined ? '' : ` (${why})`}`,
    { hint: 'A vm configures them in its first boot: `target: [vm]`.' },
  );
}

/** The packages and files of a suite, which `buildImage` puts on a disk, as a container image. */
export function buildSystem(request: ImageRequest): Promise<SystemImage> {
  return withCurrentLists(() => build(request), request.progress);
}

async function build(request: ImageRequest): Promise<SystemImage> {
  const { arch, suite, signal } = request;
  const { apt, layer } = await openLayers(request);
  if (isEmulated(request)) refuse(arch.name, knownForFirstBoot(await apt.resolve(rootfsPackages(request))));
  const { base, rootfs, resolved, unconfigured } = await rootfsLayers(request, apt, layer);
  refuse(arch.name, unconfigured);
  const files = [...request.files, ...(await serviceFiles())];
  // Without the suite's name: two suites with the same files share an image.
  const name = 'multiarch-harness/system';
  const ingredients = { rootfs: rootfs.key, files: digests(files), name, format: SYSTEM_FORMAT };
  const system = await layer('system', suite, ingredients, 2 * GIB, (folder) =>
    buildSystemContainer({ arch, name, rootfs: join(rootfs.folder, ROOTFS), files, signal }, folder),
  );
  return {
    key: system.key,
    release: request.settings.release,
    tag: await readFile(join(system.folder, TAG_FILE), 'utf8'),
    archive: join(system.folder, CONTAINER_FILE),
    containers: [],
    unconfigured: [],
    packages: imagePackages({ ...request, containers: [] }, apt, resolved),
    cached: [base, rootfs, system].every((entry) => entry.hit),
  };
}
