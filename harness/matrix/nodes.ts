import { type Arch, type ArchName, architectures, archsOf } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';
import type { Cell } from './cell.ts';

/** A machine of a cell. */
export interface CellNode {
  /** Its name in a cluster, otherwise the suite's. */
  readonly name: string;
  readonly arch: ArchName;
}

/** A blank machine of a cluster: it has no system, until somebody puts one on its disk. */
export interface BlankCellNode extends CellNode {
  readonly blank: NonNullable<Suite['nodes'][string]['blank']>;
}

/**
 * The machines of a cell that have a system: one, or those of a cluster in the order of the suite. A node without an architecture
 * gets the cell's own; in a mixed cell, its architectures in turn, blank nodes included.
 */
export function nodesOf(cell: Pick<Cell, 'arch' | 'suite'>): readonly [CellNode, ...CellNode[]] {
  const { suite } = cell;
  const nodes = isCluster(cell) ? allNodes(cell).filter(({ blank }) => blank === undefined) : [];
  if (nodes.length === 0) nodes.push({ name: suite.name, arch: archsOf(cell.arch)[0]!, blank: undefined });
  return nodes.map(({ name, arch }) => ({ name, arch })) as [CellNode, ...CellNode[]];
}

/** The blank machines of a cell, in the order of the suite. */
export function blanksOf(cell: Pick<Cell, 'arch' | 'suite'>): BlankCellNode[] {
  return allNodes(cell).flatMap(({ blank, ...node }) => (blank ? [{ ...node, blank }] : []));
}

function allNodes({ arch, suite }: Pick<Cell, 'arch' | 'suite'>) {
  const archs = archsOf(arch);
  return Object.entries(suite.nodes).map(([name, node], index) => ({
    name,
    arch: node.arch ?? archs[index % archs.length]!,
    blank: node.blank,
  }));
}

/** The architectures of a cell's machines that have a system, each once, in the order of the machines. */
export function nodeArchsOf(cell: Pick<Cell, 'arch' | 'suite'>): ArchName[] {
  return [...new Set(nodesOf(cell).map(({ arch }) => arch))];
}

/** True when a cell's machines are a cluster, on a network of their own. */
export function isCluster({ suite }: Pick<Cell, 'suite'>): boolean {
  return Object.keys(suite.nodes).length > 0;
}

/** What a blank machine starts with: what its suite names, else the usual. Undefined: its architecture has none such. */
export function firmwareOf({
  arch,
  blank,
}: Pick<BlankCellNode, 'arch' | 'blank'>): Arch['qemu']['firmware'][number] | undefined {
  const { firmware } = architectures[arch].qemu;
  return blank.firmware === undefined ? firmware[0] : firmware.find(({ name }) => name === blank.firmware);
}

/** MiB of memory of a machine of a cell: what its suite asks for, or the next that an emulated one can have. */
export function memoryOf({ target, suite }: Pick<Cell, 'target' | 'suite'>, { arch }: Pick<CellNode, 'arch'>): number {
  const { memory } = suite.machine;
  return target === 'vm' ? emulatedMemory(arch, memory) : memory;
}

/** MiB of memory of an emulated machine that is asked to have some: at least as much. */
export function emulatedMemory(arch: ArchName, memory: number): number {
  const { least, step } = architectures[arch].qemu.memory ?? { least: 1, step: 1 };
  return Math.ceil(Math.max(memory, least) / step) * step;
}

/** MiB of memory of each of a cell's machines: a blank one that is off may be switched on at any moment. */
export function memoriesOf(cell: Pick<Cell, 'arch' | 'target' | 'suite'>): number[] {
  return [
    ...nodesOf(cell).map((node) => memoryOf(cell, node)),
    ...blanksOf(cell).map(({ arch, blank }) => emulatedMemory(arch, blank.memory)),
  ];
}
