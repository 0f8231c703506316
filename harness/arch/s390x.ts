import type { Arch } from './types.ts';
import { VIRTIO_CCW } from './virtio.ts';

export const s390x: Arch = {
  name: 's390x',
  usual: false,
  aliases: ['linux/s390x'],
  debian: 's390x',
  machine: 's390x',
  gnu: 's390x-linux-gnu',
  elf: 22,
  docker: 'linux/s390x',
  node: 's390x',
  endianness: 'big',
  pageSizes: [4096],
  releases: ['bookworm', 'trixie'],
  kernelPackage: 'linux-image-s390x',
  syscalls: { clockSettime: 259, getxattr: 227 },
  qemu: {
    binary: 'qemu-system-s390x',
    // qemu-system-misc provides it in Debian 12; in Debian 13 it is a package.
    package: 'qemu-system-s390x',
    binfmt: 'qemu-s390x',
    machine: 's390-ccw-virtio-7.2',
    kvmMachine: 's390-ccw-virtio-7.2',
    // QEMU's own model: the machine's version pins its features.
    cpu: 'qemu',
    cpuinfo: /machine = \d+/m,
    console: 'ttysclp0',
    virtio: VIRTIO_CCW,
    firmware: [],
    append: [],
    args: [],
    assumedSlowdown: 12,
  },
};
