import type { ReleaseName } from '../releases/index.ts';
import type { ArchName } from './index.ts';

/** Everything that differs between architectures, as data. No other place branches on an architecture. */
export interface Arch {
  readonly name: ArchName;
  /**
   * Whether it is among those that are meant where none is named: in a command line, in what `init` writes, in the packages
   * that the set-up installs. Another one runs wherever a matrix or `--arch` names it.
   */
  readonly usual: boolean;
  /** Every usual spelling, in lower case, beside `name`. */
  readonly aliases: readonly string[];
  /** Debian's name of the port. */
  readonly debian: string;
  /** What `uname -m` prints. */
  readonly machine: string;
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
  /** Linux's numbers of system calls on it, for Perl programs in a guest: Debian's smallest set has no command for them. */
  readonly syscalls: { readonly clockSettime: number; readonly getxattr: number };
  readonly qemu: QemuMachine;
}

/** What virtio devices are attached to. */
export interface VirtioBus {
  /** The end of QEMU's device models: `virtio-net-pci`. */
  readonly suffix: string;
  /** Kernel modules without which a guest does not see the devices; empty where the kernel has the driver built in. */
  readonly modules: readonly string[];
  /** QEMU's options of a network card, each with a comma in front. */
  readonly nicOptions: string;
}

/** How QEMU emulates an architecture. */
export interface QemuMachine {
  readonly binary: string;
  /** The Debian package that has `binary`. */
  readonly package: string;
  /** Name of the entry in binfmt_misc and of its file `/usr/lib/binfmt.d/<name>.conf`. */
  readonly binfmt: string;
  /** Versioned machine type: a snapshot or a timing is only comparable on the same one. */
  readonly machine: string;
  /** The same machine for KVM, where some of its parts must be the host's own. */
  readonly kvmMachine: string;
  /** CPU model under TCG, pinned; under KVM it is `host`. */
  readonly cpu: string;
  /** What the CPU line of `/proc/cpuinfo` must match under TCG. */
  readonly cpuinfo: RegExp;
  /** Kernel console device, without `/dev/`. */
  readonly console: string;
  /** How disk, network cards and the harness's port are attached. */
  readonly virtio: VirtioBus;
  /** Kernel arguments beside console and root. */
  readonly append: readonly string[];
  /** QEMU arguments beside the common ones. */
  readonly args: readonly string[];
  /**
   * Set where QEMU (7.2) does not set a processor's timer again when a saved machine is loaded. The kernel sets it itself
   * on the first interrupt that comes before the timer would have gone off, so such a machine is saved while its next timer
   * is far away, and woken by an interrupt at once. Only the processor that takes it comes back: one vCPU.
   */
  readonly lostTimer?: {
    /** Finds the time to the next timer in what the monitor's `info registers` prints. */
    readonly register: RegExp;
    readonly ticksPerMs: number;
  };
  /** Why its machines are not resumed from snapshots, and always boot; absent where they are. */
  readonly noSnapshots?: string;
  /** How many times slower than native TCG is taken to be before a guest has been calibrated. */
  readonly assumedSlowdown: number;
}
