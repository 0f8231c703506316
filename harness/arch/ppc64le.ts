import type { Arch } from './types.ts';

export const ppc64le: Arch = {
  name: 'ppc64le',
  aliases: ['ppc64el', 'powerpc64le', 'power64le', 'linux/ppc64le'],
  debian: 'ppc64el',
  machine: 'ppc64le',
  docker: 'linux/ppc64le',
  node: 'ppc64',
  endianness: 'little',
  pageSizes: [65536],
  kernelPackage: 'linux-image-powerpc64le',
  qemu: {
    binary: 'qemu-system-ppc64',
    package: 'qemu-system-ppc',
    binfmt: 'qemu-ppc64le',
    machine: 'pseries-7.2,x-vof=on',
    kvmMachine: 'pseries-7.2',
    cpu: 'power9',
    cpuinfo: /^cpu\s*:\s*POWER9/m,
    console: 'hvc0',
    nic: 'virtio-net-pci',
    disk: 'virtio-blk-pci',
    append: [],
    args: ['-vga', 'none'],
    lostTimer: { register: /\bDECR (\d+)/, ticksPerMs: 512_000 },
    assumedSlowdown: 15,
  },
};
