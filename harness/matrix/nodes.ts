import { type ArchName, archsOf } from '../arch/index.ts';
import type { Cell } from './cell.ts';

/** A machine of a cell. */
export interface CellNode {
  /** Its name in a cluster, otherwise the suite's. */
  readonly name: string;
  readonly arch: ArchName;
}

/**
 * The machines of a cell: one, or those of a cluster in the order of the suite. A node without an architecture gets the
 * cell's own; in a mixed cell, its architectures in turn.
 */
export function nodesOf({ arch, suite }: Pick<Cell, 'arch' | 'suite'>): readonly [CellNode, ...CellNode[]] {
  const archs = archsOf(arch);
  const named: [string, { arch?: ArchName | undefined }][] = Object.entries(suite.nodes);
  if (named.length === 0) named.push([suite.name, {}]);
  const nodes = named.map(
    ([name, node], index): CellNode => ({ name, arch: node.arch ?? archs[index % archs.length]! }),
  );
  return nodes as [CellNode, ...CellNode[]];
}

/** The architectures of a cell's machines, each once, in the order of the machines. */
export function nodeArchsOf(cell: Pick<Cell, 'arch' | 'suite'>): ArchName[] {
  return [...new Set(nodesOf(cell).map(({ arch }) => arch))];
}

/** True when a cell's machines are a cluster, on a network of their own. */
export function isCluster({ suite }: Pick<Cell, 'suite'>): boolean {
  return Object.keys(suite.nodes).length > 0;
}
