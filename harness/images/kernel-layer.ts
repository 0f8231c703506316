import { INIT_SCRIPT } from '../guest/init.ts';
import type { Apt, ResolvedPackage } from './apt.ts';
import type { ImageRequest } from './build.ts';
import type { CacheEntry } from './cache.ts';
import { bootModules, buildKernel, resolveKernel } from './kernel.ts';
import { GIB, type LayerOf } from './layers.ts';

/** Debian's kernel of an architecture, its initramfs and its modules, from the cache or made. */
export async function kernelLayer(
  { arch, settings, signal, progress }: Pick<ImageRequest, 'arch' | 'settings' | 'signal' | 'progress'>,
  apt: Apt,
  layer: LayerOf,
): Promise<{ readonly entry: CacheEntry; readonly kernel: ResolvedPackage }> {
  const { kernel, busybox } = await resolveKernel(apt, arch);
  const entry = await layer(
    'kernel',
    kernel.version,
    { kernel, busybox, init: INIT_SCRIPT, modules: bootModules(arch) },
    1 * GIB,
    async (folder) => {
      await apt.download([kernel.name, 'busybox-static'], [], progress);
      const archives = { kernel: apt.archive(kernel), busybox: apt.archive(busybox) };
      await buildKernel(folder, archives, { release: settings.release, arch, signal });
    },
  );
  return { entry, kernel };
}
