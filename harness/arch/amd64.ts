import type { Arch } from './types.ts';
import { VIRTIO_PCI } from './virtio.ts';

export const amd64: Arch = {
  name: 'amd64',
  usual: true,
  aliases: ['x86_64', 'x86-64', 'x64', 'linux/amd64'],
  debian: 'amd64',
  machine: 'x86_64',
  gnu: 'x86_64-linux-gnu',
  elf: 62,
  docker: 'linux/amd64',
  node: 'x64',
  endianness: 'little',
  pageSizes: [4096],
  releases: ['bookworm', 'trixie'],
  kernelPackage: 'linux-image-amd64',
  syscalls: { clockSettime: 227, getxattr: 191 },
  qemu: {
    binary: 'qemu-system-x86_64',
    package: 'qemu-system-x86',
    binfmt: 'qemu-x86_64',
    machine: 'pc-q35-7.2',
    kvmMachine: 'pc-q35-7.2',
    // `max` under TCG is what TCG implements, the same on every host with the same QEMU.
    cpu: 'max',
    cpuinfo: /^model name\s*:\s*QEMU TCG CPU/m,
    console: 'ttyS0',
    virtio: VIRTIO_PCI,
    firmware: [
      {
        name: 'uefi',
        kind: 'flash',
        package: 'ovmf',
        code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
        variables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
      },
    ],
    // At boot the kernel counts ticks of the timer during some loops. If the host is busy just then, an emulated
    // machine sees none, and the kernel panics: "IO-APIC + timer doesn't work!".
    append: ['no_timer_check'],
    args: [],
    assumedSlowdown: 12,
  },
};
