import type { Arch } from './types.ts';
import { VIRTIO_PCI } from './virtio.ts';

export const ppc64le: Arch = {
  name: 'ppc64le',
  usual: true,
  aliases: ['ppc64el', 'powerpc64le', 'power64le', 'linux/ppc64le'],
  debian: 'ppc64el',
  machine: 'ppc64le',
  gnu: 'powerpc64le-linux-gnu',
  elf: 21,
  docker: 'linux/ppc64le',
  node: 'ppc64',
  endianness: 'little',
  pageSizes: [65536],
  releases: ['bookworm', 'trixie'],
  kernelPackage: 'linux-image-powerpc64le',
  syscalls: { clockSettime: 245, getxattr: 212 },
  qemu: {
    binary: 'qemu-system-ppc64',
    package: 'qemu-system-ppc',
    binfmt: 'qemu-ppc64le',
    machine: 'pseries-7.2,x-vof=on',
    kvmMachine: 'pseries-7.2',
    cpu: 'power9',
    cpuinfo: /^cpu\s*:\s*POWER9/m,
    console: 'hvc0',
    virtio: VIRTIO_PCI,
    // QEMU's own firmware loads a network boot at 1 MB/s and refuses Debian's kernel.
    firmware: [{ name: 'petitboot', kind: 'kexec' }],
    append: [],
    args: ['-vga', 'none'],
    lostTimer: { register: /\bDECR (\d+)/, ticksPerMs: 512_000 },
    // pseries takes whole blocks of 256 MiB. One is too little behind QEMU 10: its queues have 1024 places, whatever a
    // device asks for, and the kernel's console driver keeps a page of 64 KiB for each: 128 MiB.
    memory: { least: 512, step: 256 },
    assumedSlowdown: 15,
  },
};
