import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { releases } from '../releases/index.ts';
import { type Apt, openApt, type ResolvedPackage } from './apt.ts';
import { ensureBinfmt } from './binfmt.ts';
import type { ImageRequest } from './build.ts';
import { type CacheEntry, cached } from './cache.ts';
import { makeRootfs } from './rootfs.ts';
import { RECIPE } from './settings.ts';

export const GIB = 2 ** 30;

/** The name of the root file system in a cache entry. */
export const ROOTFS = 'rootfs.tar';

/** Finds a layer in the cache, or makes it, under a key of everything that goes in. */
export type LayerOf = (
  kind: CacheEntry['kind'],
  label: string,
  ingredients: unknown,
  needBytes: number,
  build: (folder: string) => Promise<void>,
) => Promise<CacheEntry>;

/** Debian's packages for an architecture, and what makes or finds a layer of an image for it. */
export async function openLayers(request: ImageRequest): Promise<{ readonly apt: Apt; readonly layer: LayerOf }> {
  const { settings, arch, signal } = request;
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    request.progress?.(name);
    const started = performance.now();
    const result = await work();
    const durationMs = Math.round(performance.now() - started);
    if (durationMs > 50) request.phase?.({ name, durationMs });
    return result;
  };
  const apt = await timed('package lists', () => openApt(settings, arch, request));
  const layer: LayerOf = (kind, label, ingredients, needBytes, build) =>
    timed(`${kind} layer`, () =>
      cached(
        {
          cache: settings.cache,
          kind,
          label: `${settings.release} ${arch.name} ${label}`,
          ingredients: { recipe: RECIPE, release: settings.release, arch: arch.name, ...(ingredients as object) },
          needBytes,
          onWait: (holder) => request.progress?.(`${kind} layer: waiting for ${holder}, which builds it`),
          ...(signal ? { signal } : {}),
        },
        build,
      ),
    );
  return { apt, layer };
}

/** The root file systems: Debian's essential packages, shared by all suites, and on top of them the suite's own. */
export async function rootfsLayers(
  request: ImageRequest,
  apt: Apt,
  layer: LayerOf,
): Promise<{
  readonly base: CacheEntry;
  readonly rootfs: CacheEntry;
  readonly resolved: readonly ResolvedPackage[];
}> {
  const { settings, arch, suite, signal } = request;
  const base = await baseLayer(request, apt, layer);
  const resolved = await apt.resolve(['?essential', ...releases[settings.release].basePackages, ...request.packages]);
  const rootfs =
    request.packages.length === 0
      ? base
      : await layer('packages', suite, { resolved, wanted: [...request.packages].sort() }, 2 * GIB, async (folder) => {
          await ensureBinfmt(arch);
          await apt.download(request.packages);
          await withScratch(folder, (scratch) =>
            makeRootfs({
              settings,
              arch,
              apt,
              packages: request.packages,
              resolved: only(resolved, base),
              onTop: join(base.folder, ROOTFS),
              output: join(folder, ROOTFS),
              scratch,
              signal,
            }),
          );
        });
  return { base, rootfs, resolved };
}

async function baseLayer(request: ImageRequest, apt: Apt, layer: LayerOf): Promise<CacheEntry> {
  const { settings, arch, signal } = request;
  const { basePackages } = releases[settings.release];
  const resolved = await apt.resolve(['?essential', ...basePackages]);
  return layer('base', 'base', { resolved }, 2 * GIB, async (folder) => {
    await ensureBinfmt(arch);
    await apt.download(['?essential', ...basePackages]);
    await withScratch(folder, (scratch) =>
      makeRootfs({
        settings,
        arch,
        apt,
        packages: basePackages,
        resolved,
        output: join(folder, ROOTFS),
        scratch,
        signal,
      }),
    );
  });
}

/** The packages that the base does not have already. */
function only(resolved: Awaited<ReturnType<Apt['resolve']>>, base: CacheEntry): typeof resolved {
  const has = (base.meta.ingredients as { resolved: typeof resolved }).resolved;
  return resolved.filter((item) => !has.some((other) => other.name === item.name && other.version === item.version));
}

async function withScratch(folder: string, work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = join(folder, 'scratch');
  await mkdir(scratch, { recursive: true });
  await work(scratch);
  await rm(scratch, { recursive: true, force: true });
}
