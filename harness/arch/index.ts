import { amd64 } from './amd64.ts';
import { arm64 } from './arm64.ts';
import { ppc64le } from './ppc64le.ts';
import { riscv64 } from './riscv64.ts';
import { s390x } from './s390x.ts';
import type { Arch } from './types.ts';

export { type Arch, FIRMWARE_NAMES, type Firmware } from './types.ts';

/** The one list of architectures, in the order in which reports show them. */
const list = { amd64, arm64, ppc64le, riscv64, s390x };

/** The harness's name of an architecture, in cells, files and reports. */
export type ArchName = keyof typeof list;

/** A cell's architecture, or several joined by `+` for a mixed cluster, in the order of its nodes. */
export type CellArch = ArchName | `${ArchName}+${string}`;

export const architectures: Readonly<Record<ArchName, Arch>> = list;

export const archNames = Object.keys(architectures) as ArchName[];

/** The architectures of command lines and matrices that name none; the set-up installs their emulators. */
export const usualArchs: readonly ArchName[] = archNames.filter((name) => architectures[name].usual);

/** The architecture that a spelling means (`x86_64`, `AArch64`, `ppc64el`, …), or undefined. */
export function findArch(spelling: string): Arch | undefined {
  const wanted = spelling.trim().toLowerCase();
  return Object.values(architectures).find((arch) => arch.name === wanted || arch.aliases.includes(wanted));
}

/** The normalised name of a cell's architectures, in any spelling of its parts (`x86_64+aarch64`), or undefined. */
export function findCellArch(spelling: string): CellArch | undefined {
  const parts = spelling.split('+').map((part) => findArch(part)?.name);
  return parts.every((part) => part !== undefined) ? (parts.join('+') as CellArch) : undefined;
}

/** The architectures of a cell, one or more. */
export function archsOf(arch: CellArch): readonly ArchName[] {
  return arch.split('+') as ArchName[];
}

/** The controller's architecture; undefined if it is not in the list. */
export function nativeArch(nodeArch: string = process.arch): Arch | undefined {
  return Object.values(architectures).find((arch) => arch.node === nodeArch);
}
