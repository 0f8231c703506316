import type { Arch } from './types.ts';
import { VIRTIO_PCI } from './virtio.ts';

export const arm64: Arch = {
  name: 'arm64',
  usual: true,
  aliases: ['aarch64', 'armv8', 'arm64v8', 'linux/arm64', 'linux/arm64/v8'],
  debian: 'arm64',
  machine: 'aarch64',
  gnu: 'aarch64-linux-gnu',
  elf: 183,
  docker: 'linux/arm64',
  node: 'arm64',
  endianness: 'little',
  pageSizes: [4096],
  releases: ['bookworm', 'trixie'],
  kernelPackage: 'linux-image-arm64',
  syscalls: { clockSettime: 112, getxattr: 8 },
  qemu: {
    binary: 'qemu-system-aarch64',
    package: 'qemu-system-arm',
    binfmt: 'qemu-aarch64',
    machine: 'virt-7.2',
    kvmMachine: 'virt-7.2,gic-version=host',
    // Not `max`: its pointer authentication is very slow under TCG.
    cpu: 'cortex-a57',
    cpuinfo: /^CPU part\s*:\s*0xd07/m,
    console: 'ttyAMA0',
    virtio: VIRTIO_PCI,
    firmware: [
      {
        name: 'uefi',
        kind: 'flash',
        package: 'qemu-efi-aarch64',
        code: '/usr/share/AAVMF/AAVMF_CODE.fd',
        variables: '/usr/share/AAVMF/AAVMF_VARS.fd',
      },
    ],
    append: [],
    args: [],
    assumedSlowdown: 12,
  },
};
