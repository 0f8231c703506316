import type { ReleaseName } from '../releases/index.ts';
import type { ArchName } from './index.ts';

/** Everything that differs between architectures, as data. No other place branches on an architecture. */
export interface Arch {
  readonly name: ArchName;
  /**
   * Whether defaults include it: command lines that name none, what `init` writes, the packages that the set-up
   * installs. Any other architecture runs only if a matrix or `--arch` names it.
   */
  readonly usual: boolean;
  /** Every usual spelling, in lower case, beside `name`. */
  readonly aliases: readonly string[];
  /** Debian's name of the port. */
  readonly debian: string;
  /** What `uname -m` prints. */
  readonly machine: string;
  /** GNU's name of the system, in front of the names of its compilers: `aarch64-linux-gnu`. */
  readonly gnu: string;
  /** The number in `e_machine` of its ELF files. */
  readonly elf: number;
  /** Docker's platform string. */
  readonly docker: string;
  /** `process.arch` of a Node that runs natively on it. */
  readonly node: string;
  readonly endianness: 'little' | 'big';
  /** Page sizes, in bytes, that Debian's kernel uses on it. */
  readonly pageSizes: readonly number[];
  /** Debian releases that have the port. */
  readonly releases: readonly ReleaseName[];
  /** Debian's kernel package. */
  readonly kernelPackage: string;
  /** Its Linux system call numbers, for Perl programs in a guest: Debian's smallest set has no command for them. */
  readonly syscalls: { readonly clockSettime: number; readonly getxattr: number };
  readonly qemu: QemuMachine;
}

/** The bus of virtio devices. */
export interface VirtioBus {
  /** Suffix of QEMU's device models: `virtio-net-pci`. */
  readonly suffix: string;
  /** Kernel modules without which a guest does not see the devices; empty where the kernel has the driver built in. */
  readonly modules: readonly string[];
  /** QEMU's options of a network card, each with a comma in front. */
  readonly nicOptions: string;
}

/**
 * What a blank machine runs before anything is on its disk. `flash`: UEFI in a pair of flash chips, from a Debian package: its
 * code, and the variables that each machine gets its own copy of. `kexec`: a small Linux that the harness makes, which finds
 * a kernel on the network or on the disk and starts it, as petitboot does on OpenPOWER machines.
 */
export type Firmware = {
  /** What a suite calls it: `uefi`, `petitboot`. */
  readonly name: FirmwareName;
} & (
  | { readonly kind: 'flash'; readonly package: string; readonly code: string; readonly variables: string }
  | { readonly kind: 'kexec' }
);

export const FIRMWARE_NAMES = ['uefi', 'petitboot'] as const;
export type FirmwareName = (typeof FIRMWARE_NAMES)[number];

/** How QEMU emulates an architecture. */
export interface QemuMachine {
  readonly binary: string;
  /** The Debian package that has `binary`. */
  readonly package: string;
  /** Name of the entry in binfmt_misc and of its file `/usr/lib/binfmt.d/<name>.conf`. */
  readonly binfmt: string;
  /** Versioned machine type: a snapshot or a timing is only comparable on the same one. */
  readonly machine: string;
  /** Machine type under KVM: `machine`, unless some part must be the host's own. */
  readonly kvmMachine: string;
  /** CPU model under TCG, pinned; under KVM it is `host`. */
  readonly cpu: string;
  /** What the CPU line of `/proc/cpuinfo` must match under TCG. */
  readonly cpuinfo: RegExp;
  /** Kernel console device, without `/dev/`. */
  readonly console: string;
  /** How disk, network cards and the harness's port are attached. */
  readonly virtio: VirtioBus;
  /** What its blank machines start with, the usual first; empty: there are none. */
  readonly firmware: readonly Firmware[];
  /** Kernel arguments beside console and root. */
  readonly append: readonly string[];
  /** QEMU arguments beside the common ones. */
  readonly args: readonly string[];
  /**
   * Set if QEMU (7.2) does not restore a processor's timer when a saved machine is loaded. The kernel sets it itself on
   * the first interrupt that comes before the timer would have gone off, so such a machine is saved while its next
   * timer is far away, and woken by an interrupt at once. Only the processor that takes the interrupt recovers: one
   * vCPU.
   */
  readonly lostTimer?: {
    /** Finds the time to the next timer in the output of the monitor's `info registers`. */
    readonly register: RegExp;
    readonly ticksPerMs: number;
  };
  /** Why its machines always boot and are never resumed from snapshots; absent if they can be. */
  readonly noSnapshots?: string;
  /** MiB: the least memory of a guest, and what it must be a multiple of. Absent: whatever a suite asks for. */
  readonly memory?: { readonly least: number; readonly step: number };
  /** The assumed slowdown of TCG until a guest has been calibrated. */
  readonly assumedSlowdown: number;
}
