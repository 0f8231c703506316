import type { Arch } from './types.ts';
import { VIRTIO_PCI } from './virtio.ts';

export const riscv64: Arch = {
  name: 'riscv64',
  usual: false,
  aliases: ['rv64', 'linux/riscv64'],
  debian: 'riscv64',
  machine: 'riscv64',
  gnu: 'riscv64-linux-gnu',
  elf: 243,
  docker: 'linux/riscv64',
  node: 'riscv64',
  endianness: 'little',
  pageSizes: [4096],
  releases: ['trixie'],
  kernelPackage: 'linux-image-riscv64',
  syscalls: { clockSettime: 112, getxattr: 8 },
  qemu: {
    binary: 'qemu-system-riscv64',
    // A name that qemu-system-misc provides in Debian 12, and qemu-system-riscv in Debian 13.
    package: 'qemu-system-riscv64',
    binfmt: 'qemu-riscv64',
    // QEMU 7.2 has no versions of this machine.
    machine: 'virt',
    kvmMachine: 'virt',
    cpu: 'rv64',
    cpuinfo: /^isa\s*:\s*rv64imafdch/m,
    console: 'ttyS0',
    virtio: VIRTIO_PCI,
    firmware: [],
    append: [],
    args: [],
    assumedSlowdown: 12,
  },
};
