import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { run } from '../base/process.ts';
import { INIT_SCRIPT } from '../guest/init.ts';
import type { ReleaseName } from '../releases/index.ts';
import type { Apt, ResolvedPackage } from './apt.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import { unpack } from './unpack.ts';

/** Modules that a guest needs for its disk, network and the harness's port. */
export function bootModules({ qemu }: Pick<Arch, 'qemu'>): readonly string[] {
  return [...qemu.virtio.modules, 'virtio_blk', 'virtio_net', 'virtio_console', 'ext4'];
}

/** Driver folders that a virtual machine can use; the others are three quarters of the package. */
const KEPT_DRIVERS = ['block', 'char', 'crypto', 'md', 'net', 'target', 'vhost', 'virt', 'virtio'];
const DROPPED_NET_DRIVERS = [
  'ethernet',
  'wireless',
  'can',
  'usb',
  'wwan',
  'hamradio',
  'fddi',
  'arcnet',
  'plip',
  'ieee802154',
];

/** The files of an entry of the kernel cache, relative to its folder. */
export const KERNEL_FILES = { kernel: 'vmlinuz', initrd: 'initrd', modules: 'modules.tar' } as const;

/** The packages of a bootable kernel: the kernel itself and the initramfs's shell. */
export async function resolveKernel(
  apt: Apt,
  arch: Arch,
): Promise<{ kernel: ResolvedPackage; busybox: ResolvedPackage }> {
  const resolved = await apt.resolve([arch.kernelPackage, 'busybox-static']);
  // The named package is an empty one that depends on the newest `linux-image-VERSION-FLAVOUR`.
  const kernel = resolved.find((item) => /^linux-image-\d/.test(item.name));
  const busybox = resolved.find((item) => item.name === 'busybox-static');
  if (!kernel || !busybox)
    throw new InfraError(`cannot find a kernel for ${arch.name}: ${arch.kernelPackage} brings none`);
  return { kernel, busybox };
}

/** Unpacks a kernel package into a kernel, an initramfs and the modules that a virtual machine can use. */
export async function buildKernel(
  folder: string,
  archives: { readonly kernel: string; readonly busybox: string },
  {
    release,
    arch,
    signal,
  }: { readonly release: ReleaseName; readonly arch: Arch; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const cancel = signal ? { cancelSignal: signal } : {};
  const scratch = join(folder, 'scratch');
  const tree = join(scratch, 'kernel');
  makeFolder(scratch);
  await unpack(tree, { release, archives: [archives.kernel], signal });
  await unpack(join(scratch, 'busybox'), { release, archives: [archives.busybox], signal });
  const image = (await readdir(join(tree, 'boot'))).find((name) => /^vmlinu[xz]-/.test(name));
  const [version] = await readdir(join(tree, 'lib/modules'));
  if (!image || !version) throw new InfraError('cannot unpack the kernel package: it holds no kernel');
  await rename(join(tree, 'boot', image), join(folder, KERNEL_FILES.kernel));

  await dropModules(join(tree, 'lib/modules', version, 'kernel'));
  await run(['depmod', '--basedir', tree, version], { purpose: 'list the kernel modules', ...cancel });
  const modules = await loadOrder(bootModules(arch), tree, version, cancel);
  const busybox = await readFile(join(scratch, 'busybox/bin/busybox'));
  await writeFile(join(folder, KERNEL_FILES.initrd), cpio(await initramfs(busybox, modules)));
  await run(['tar', '-C', tree, '--owner=0', '--group=0', '-cf', join(folder, KERNEL_FILES.modules), 'lib/modules'], {
    purpose: 'keep the kernel modules',
    ...cancel,
  });
  await rm(scratch, { recursive: true });
}

async function dropModules(folder: string): Promise<void> {
  const drop = (path: string) => rm(join(folder, path), { recursive: true, force: true });
  await drop('sound');
  for (const name of await readdir(join(folder, 'drivers')))
    if (!KEPT_DRIVERS.includes(name)) await drop(`drivers/${name}`);
  for (const name of DROPPED_NET_DRIVERS) await drop(`drivers/net/${name}`);
}

/** Module files in the order in which they can be loaded. */
async function loadOrder(names: readonly string[], tree: string, version: string, cancel: object): Promise<string[]> {
  const files = new Set<string>();
  for (const name of names) {
    const argv = ['modprobe', '--dirname', tree, '--set-version', version, '--show-depends', name];
    const { stdout } = await run(argv, { purpose: `find the module ${name}`, ...cancel });
    for (const [, file] of String(stdout).matchAll(/^insmod (\S+)/gm)) files.add(file!);
  }
  return [...files];
}

async function initramfs(busybox: Uint8Array, modules: readonly string[]): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = ['bin', 'dev', 'modules', 'proc', 'root', 'seed', 'sys'].map((path) => ({
    path,
    folder: true,
  }));
  entries.push({ path: 'bin/busybox', mode: 0o755, content: busybox }, { path: 'bin/sh', link: 'busybox' });
  const names: string[] = [];
  for (const file of modules) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    names.push(name);
    entries.push({ path: `modules/${name}`, content: await readFile(file) });
  }
  entries.push({ path: 'modules/order', content: `${names.join('\n')}\n` });
  entries.push({ path: 'init', mode: 0o755, content: INIT_SCRIPT });
  return entries;
}
