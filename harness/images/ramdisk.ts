import { readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withCurrentLists } from './absent.ts';
import type { ImageRequest } from './build.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import { digests, type PlainFile } from './files.ts';
import { KERNEL_FILES } from './kernel.ts';
import { kernelLayer } from './kernel-layer.ts';
import { GIB, openLayers } from './layers.ts';
import { unpack } from './unpack.ts';

/** A ramdisk: what a machine without a disk of its own runs. */
export interface RamdiskSpec {
  /** For people. */
  readonly label: string;
  /** Unpacked with their dependencies; no maintainer script runs. */
  readonly packages: readonly string[];
  /** Packages to leave out, with what only they need. */
  readonly without: readonly string[];
  /** One of them is `/init`, its first program. */
  readonly files: readonly PlainFile[];
}

/** The name of the ramdisk in a cache entry. */
const RAMDISK_FILE = 'ramdisk';

/** Version of the recipe: ramdisks of an older harness are not reused. */
const RAMDISK_RECIPE = 1;

/** Paths that nobody reads in a ramdisk, which has to fit into memory. */
const LEFT_OUT = ['doc', 'doc-base', 'info', 'lintian', 'locale', 'man'].map((name) => `usr/share/${name}`);

/**
 * Makes or finds a kernel and a ramdisk for it: busybox, the modules of disk and network in `/modules` (their order in
 * `/modules/order`), packages, and files. Paths belong to the cache.
 */
export async function buildRamdisk(
  request: Pick<ImageRequest, 'arch' | 'settings' | 'signal' | 'progress' | 'phase' | 'warn'>,
  spec: RamdiskSpec,
): Promise<{ readonly kernel: string; readonly initrd: string }> {
  const { settings, signal, progress } = request;
  return withCurrentLists(async () => {
    const { apt, layer } = await openLayers(request);
    const { entry: boot } = await kernelLayer(request, apt, layer);
    const { packages, without } = spec;
    const resolved = packages.length > 0 ? await apt.resolve(packages, without) : [];
    const ingredients = { kernel: boot.key, resolved, files: digests(spec.files), ramdisk: RAMDISK_RECIPE };
    const entry = await layer('ramdisk', spec.label, ingredients, GIB, async (folder) => {
      const tree = join(folder, 'scratch');
      if (packages.length > 0) {
        await apt.download(packages, without, progress);
        await unpack(tree, { release: settings.release, archives: resolved.map((one) => apt.archive(one)), signal });
        for (const path of LEFT_OUT) await rm(join(tree, path), { recursive: true, force: true });
      }
      const unpacked = packages.length > 0 ? cpio(await entriesOf(tree)) : Buffer.alloc(0);
      // A kernel unpacks several archives, one over the other.
      const parts = [await readFile(join(boot.folder, KERNEL_FILES.initrd)), unpacked, cpio(fileEntries(spec.files))];
      await writeFile(join(folder, RAMDISK_FILE), Buffer.concat(parts));
      await rm(tree, { recursive: true, force: true });
    });
    return { kernel: join(boot.folder, KERNEL_FILES.kernel), initrd: join(entry.folder, RAMDISK_FILE) };
  }, progress);
}

/** Everything in a folder, folders before what is in them. */
async function entriesOf(root: string, below = ''): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = [];
  for (const found of (await readdir(join(root, below), { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(below, found.name);
    const place = join(root, path);
    if (found.isSymbolicLink()) entries.push({ path, link: await readlink(place) });
    else if (found.isDirectory()) {
      entries.push({ path, folder: true, mode: (await stat(place)).mode & 0o7777 });
      entries.push(...(await entriesOf(root, path)));
    } else if (found.isFile())
      entries.push({ path, mode: (await stat(place)).mode & 0o7777, content: await readFile(place) });
  }
  return entries;
}

/** Files and the folders that they are in. */
function fileEntries(files: readonly PlainFile[]): CpioEntry[] {
  const entries = new Map<string, CpioEntry>();
  const parents = (path: string) => {
    const parent = dirname(path);
    if (parent === '.' || entries.has(parent)) return;
    parents(parent);
    entries.set(parent, { path: parent, folder: true });
  };
  for (const { path, mode, content } of files) {
    const relative = path.replace(/^\/+/, '');
    parents(relative);
    entries.set(relative, { path: relative, mode: Number.parseInt(mode, 8), content });
  }
  return [...entries.values()];
}
