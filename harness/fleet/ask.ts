import { archsOf } from '../arch/index.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { Ask } from '../engines/engine.ts';
import type { Cell } from '../matrix/cell.ts';
import { blanksOf, memoriesOf, nodesOf } from '../matrix/nodes.ts';
import { hasFiles } from '../run/suite/suite-files.ts';
import { kinds } from '../targets/kinds.ts';

/** MiB of Node and vitest on the machine that runs a cell. */
const HARNESS_MIB = 500;
/** MiB that QEMU takes beside the memory of its guest. */
const GUEST_OVERHEAD_MIB = 200;
/** Minutes beside `limits.cell-minutes`, for images that are not in the cache. */
const IMAGE_MINUTES = 30;

interface AskOptions {
  readonly engine: Pick<EngineConfig, 'arch' | 'minutes'>;
  readonly matrix: {
    readonly limits: { readonly 'cell-minutes': number };
    readonly images: { readonly 'build-memory': number };
  };
  /** Whether benchmarks are to run. */
  readonly bench: boolean;
}

/**
 * What each cell asks of the node that runs it, by the cell's name: all of its machines are on that one node, because their
 * network is in the harness. A cell that measures asks for a node of its own.
 */
export async function asksOf(cells: readonly Cell[], options: AskOptions): Promise<Map<string, Ask>> {
  const measures = new Map<string, boolean>();
  const asks = new Map<string, Ask>();
  for (const cell of cells) asks.set(cell.name, await askOf(cell, options, measures));
  return asks;
}

/** @param measures whether a suite has benchmarks, by its folder: cells of one suite need not look again. */
async function askOf(cell: Cell, options: AskOptions, measures: Map<string, boolean>): Promise<Ask> {
  const { engine, matrix, bench } = options;
  const { folder } = cell.suite;
  if (bench && !measures.has(folder)) measures.set(folder, await hasFiles(cell.suite, 'benchmarks'));
  const { vcpus } = cell.suite.machine;
  const memories = memoriesOf(cell);
  // Those elsewhere take nothing of the node, and those that are made here may have to be built first.
  const elsewhere = cell.target === 'ssh' || cell.target === 'command';
  const builds = kinds[cell.target].image === 'none' ? 0 : matrix.images['build-memory'];
  const guests = elsewhere ? 0 : memories.reduce((sum, memory) => sum + memory + GUEST_OVERHEAD_MIB, 0);
  const [first] = archsOf(cell.arch);
  return {
    constraint: (first && engine.arch[first]) ?? '',
    cpus: elsewhere ? 1 : nodesOf(cell).length * vcpus + blanksOf(cell).length,
    memoryMiB: HARNESS_MIB + Math.max(guests, builds),
    exclusive: bench && measures.get(folder) === true,
    minutes: engine.minutes ?? matrix.limits['cell-minutes'] + IMAGE_MINUTES,
  };
}

/** Cells by what they ask for. */
export function classesOf(asks: ReadonlyMap<string, Ask>): { readonly ask: Ask; readonly cells: string[] }[] {
  const classes = Map.groupBy([...asks], ([, ask]) => JSON.stringify(ask));
  return [...classes.values()].map((cells) => ({ ask: cells[0]![1], cells: cells.map(([name]) => name) }));
}
