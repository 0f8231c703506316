import { join } from 'node:path';
import { nativeArch } from '../arch/index.ts';
import { InfraError, messageOf } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { releases } from '../releases/index.ts';
import { type Apt, openApt, type ResolvedPackage } from './apt.ts';
import { removeBuild } from './as-root.ts';
import { ensureBinfmt } from './binfmt.ts';
import type { ImageRequest } from './build.ts';
import { runBuildCommands } from './built.ts';
import { type CacheEntry, cached } from './cache.ts';
import { digests } from './files.ts';
import { knownForFirstBoot, leftIn, noteLeft, withDependents } from './first-boot.ts';
import { type BuildLimits, OverrunError } from './guard.ts';
import { namespaceProblem } from './namespaces.ts';
import { makeRootfs, type RootfsRequest } from './rootfs.ts';
import { RECIPE } from './settings.ts';

export const GIB = 2 ** 30;

/** The name of the root file system in a cache entry. */
export const ROOTFS = 'rootfs.tar';

/** Finds a layer in the cache or builds it, under a key of all its inputs. */
export type LayerOf = (
  kind: CacheEntry['kind'],
  label: string,
  ingredients: unknown,
  needBytes: number,
  build: (folder: string) => Promise<void>,
) => Promise<CacheEntry>;

/** Debian's packages for an architecture, and the functions to find or build an image's layers. */
export async function openLayers(
  request: Pick<ImageRequest, 'settings' | 'arch' | 'signal' | 'progress' | 'phase' | 'warn'>,
): Promise<{ readonly apt: Apt; readonly layer: LayerOf }> {
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
          warn: request.warn,
          ...(signal ? { signal } : {}),
        },
        build,
      ),
    );
  return { apt, layer };
}

/** Milliseconds without output after which a maintainer script counts as hung. */
const SILENT_MS = 30 * 60_000;

/** The root file systems of a suite. */
export interface RootfsLayers {
  /** Debian's essential packages, shared by all suites. */
  readonly base: CacheEntry;
  /** On top of them the suite's own, and what its build commands made. */
  readonly rootfs: CacheEntry;
  /** All packages of both. */
  readonly resolved: readonly ResolvedPackage[];
  /** Names of packages that are only unpacked. */
  readonly unconfigured: readonly string[];
}

/** The queries to apt for a suite's root file system. */
export function rootfsPackages({ settings, packages }: Pick<ImageRequest, 'settings' | 'packages'>): string[] {
  return ['?essential', ...releases[settings.release].basePackages, ...packages];
}

/** Makes or finds the root file systems of a suite. @throws UnknownPackagesError before anything is built. */
export async function rootfsLayers(request: ImageRequest, apt: Apt, layer: LayerOf): Promise<RootfsLayers> {
  const { settings, suite, packages } = request;
  const own = rootfsPackages({ settings, packages: [] });
  const resolved = await apt.resolve(rootfsPackages(request));
  const baseResolved = packages.length === 0 ? resolved : await apt.resolve(own);
  const base = await layer('base', 'base', { resolved: baseResolved }, 2 * GIB, (folder) =>
    install(folder, request, apt, {
      wanted: own,
      packages: releases[settings.release].basePackages,
      resolved: baseResolved,
    }),
  );
  if (packages.length === 0)
    return { base, rootfs: await builtLayer(request, apt, layer, base), resolved, unconfigured: [] };
  const added = only(resolved, base);
  const known = isEmulated(request) ? knownForFirstBoot(added) : [];
  const ingredients = {
    resolved,
    wanted: [...packages].sort(),
    ...(known.length > 0 ? { firstBoot: known } : {}),
  };
  const rootfs = await layer('packages', suite, ingredients, 2 * GIB, (folder) =>
    install(folder, request, apt, { wanted: packages, packages, resolved: added, onTop: join(base.folder, ROOTFS) }),
  );
  const unconfigured = await leftIn(rootfs.folder);
  return { base, rootfs: await builtLayer(request, apt, layer, rootfs), resolved, unconfigured };
}

/** A root file system in which a suite's build commands have run; the same where it has none. */
async function builtLayer(request: ImageRequest, apt: Apt, layer: LayerOf, rootfs: CacheEntry): Promise<CacheEntry> {
  const { settings, arch, suite, build, signal, progress } = request;
  if (build.commands.length === 0) return rootfs;
  const ingredients = { rootfs: rootfs.key, commands: build.commands, files: digests(build.files) };
  return layer('built', suite, ingredients, 2 * GIB, async (folder) => {
    await ensureCanBuild(request);
    await inScratch(folder, (scratch) =>
      runBuildCommands({
        settings,
        arch,
        apt,
        rootfs: join(rootfs.folder, ROOTFS),
        ...build,
        limits: limitsOf(settings),
        output: join(folder, ROOTFS),
        scratch,
        signal,
        progress,
      }),
    );
  });
}

/** @throws InfraError when programs of the architecture, or builds at all, do not run here. */
export async function ensureCanBuild({ arch }: Pick<ImageRequest, 'arch'>): Promise<void> {
  await ensureBinfmt(arch);
  const refused = await namespaceProblem();
  if (refused) throw new InfraError(`cannot build images without being root: ${refused.why}`, { hint: refused.hint });
}

/** What a build may take. */
export function limitsOf({ buildMemoryBytes, buildMs }: ImageRequest['settings']): BuildLimits {
  return { memoryBytes: buildMemoryBytes, totalMs: buildMs, silentMs: SILENT_MS };
}

/** Works in a folder below another one, and removes it. */
export async function inScratch(folder: string, work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = join(folder, 'scratch');
  makeFolder(scratch);
  try {
    await work(scratch);
  } finally {
    await removeBuild(scratch);
  }
}

interface Installation extends Pick<RootfsRequest, 'packages' | 'resolved' | 'onTop'> {
  /** The packages that apt downloads. */
  readonly wanted: readonly string[];
}

/**
 * Installs packages into a root file system. If maintainer scripts are emulated, a package that exceeds a build's
 * limits is left to the guest's first boot, with its dependents, and the rest is installed again.
 */
async function install(folder: string, request: ImageRequest, apt: Apt, what: Installation): Promise<void> {
  const { settings, arch, signal, progress } = request;
  await ensureCanBuild(request);
  await apt.download(what.wanted, [], progress);
  const left = new Set(what.onTop !== undefined && isEmulated(request) ? knownForFirstBoot(what.resolved) : []);
  for (;;) {
    const unpacked = await withDependents(apt, what.resolved, left);
    try {
      await inScratch(folder, (scratch) =>
        makeRootfs({
          settings,
          arch,
          apt,
          packages: what.packages,
          resolved: what.resolved,
          ...(what.onTop === undefined ? {} : { onTop: what.onTop }),
          unpacked,
          limits: limitsOf(settings),
          output: join(folder, ROOTFS),
          scratch,
          signal,
          progress,
        }),
      );
      await noteLeft(folder, unpacked);
      return;
    } catch (error) {
      const name = error instanceof OverrunError && isEmulated(request) ? error.package : undefined;
      const canWait = what.onTop !== undefined && what.resolved.some((one) => one.name === name);
      if (name === undefined || !canWait || left.has(name)) throw error;
      request.warn?.(`${messageOf(error)}; it is configured in the first boot of the guest instead`);
      left.add(name);
    }
  }
}

/** Whether programs of the image run through qemu-user on this host. */
export function isEmulated({ arch }: Pick<ImageRequest, 'arch'>): boolean {
  return nativeArch()?.name !== arch.name;
}

/** The packages that are not in the base. */
function only(resolved: Awaited<ReturnType<Apt['resolve']>>, base: CacheEntry): typeof resolved {
  const has = (base.meta.ingredients as { resolved: typeof resolved }).resolved;
  return resolved.filter((item) => !has.some((other) => other.name === item.name && other.version === item.version));
}
