import { amd64 } from './amd64.ts';
import { arm64 } from './arm64.ts';
import { ppc64le } from './ppc64le.ts';
import type { Arch, ArchName, CellArch } from './types.ts';

export type { Arch, ArchName, CellArch, QemuMachine } from './types.ts';

/** Every architecture, in the order in which reports show them. */
export const architectures: Readonly<Record<ArchName, Arch>> = { amd64, arm64, ppc64le };

export const archNames = Object.keys(architectures) as ArchName[];

/** The architecture that a spelling means (`x86_64`, `AArch64`, `ppc64el`, …), or undefined. */
export function findArch(spelling: string): Arch | undefined {
  const wanted = spelling.trim().toLowerCase();
  return Object.values(architectures).find((arch) => arch.name === wanted || arch.aliases.includes(wanted));
}

/** The one name of what a cell runs on, in any spelling of its parts (`x86_64+aarch64`), or undefined. */
export function findCellArch(spelling: string): CellArch | undefined {
  const parts = spelling.split('+').map((part) => findArch(part)?.name);
  return parts.every((part) => part !== undefined) ? (parts.join('+') as CellArch) : undefined;
}

/** The architectures of a cell, one or more. */
export function archsOf(arch: CellArch): readonly ArchName[] {
  return arch.split('+') as ArchName[];
}

/** The architecture of the machine that the harness runs on; undefined where it is none of ours. */
export function nativeArch(nodeArch: string = process.arch): Arch | undefined {
  return Object.values(architectures).find((arch) => arch.node === nodeArch);
}
