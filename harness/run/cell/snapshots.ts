import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBarrier } from '../../base/barrier.ts';
import { messageOf } from '../../base/errors.ts';
import { replaceFile } from '../../base/files.ts';
import { type SetUpState, setUpState } from '../../commands/set-up.ts';
import type { CellScale } from '../../events/types.ts';
import { cached, evictOldest, findEntry } from '../../images/cache.ts';
import type { Cell } from '../../matrix/cell.ts';
import { setUpFrom } from '../../source/changes.ts';
import type { SourceTree } from '../../source/tree.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import type { Target, TargetProvider, TargetSpec } from '../../targets/target.ts';

/** How slow a target was measured to be. */
export type Scale = Omit<CellScale, 'type' | 'cell'>;

/** A cell's machines, saved once the stack was deployed and ready: one folder per machine, by name. */
export interface FoundSnapshot {
  readonly folder: string;
  /** ISO time. */
  readonly createdAt: string;
  readonly scale: Scale;
  /** What was set up on the machine for the suite's commands. */
  readonly setUp?: SetUpState;
}

/** The snapshot of a cell's machines, which can be found, saved or dropped. */
export interface CellSnapshot {
  find(): Promise<FoundSnapshot | undefined>;
  /** Saves the machines, unless another run has just done so, and evicts older snapshots to make room. */
  save(
    nodes: readonly { readonly name: string; readonly target: Target }[],
    state: { readonly scale: Scale; readonly setUp?: SetUpState | undefined },
  ): Promise<void>;
  /** Records that the machines are faster than was measured when they were saved. */
  rescale(found: FoundSnapshot, scale: Scale): Promise<void>;
  /** Removes a snapshot that turned out to be bad. */
  drop(found: FoundSnapshot): Promise<void>;
}

const SCALE_FILE = 'scale.json';
const SET_UP_FILE = 'set-up.json';

/**
 * The snapshot of a cell. Its key covers everything that could change the result: the machine, its image, and the
 * deployment. Files of the stack are part of the image's key.
 * @param tree the current source: a snapshot is not used if its set-up read a file that differs now.
 * @returns a sentence that says why, if the machines cannot be saved.
 */
export async function cellSnapshot(
  cell: Pick<Cell, 'arch' | 'suite' | 'name'>,
  provider: TargetProvider,
  specs: readonly { readonly name: string; readonly spec: TargetSpec }[],
  store: { readonly cache: string; readonly limitBytes: number; readonly signal: AbortSignal },
  tree?: SourceTree,
): Promise<CellSnapshot | string> {
  const machines: unknown[] = [];
  for (const { name, spec } of specs) {
    const support = (await provider.snapshots?.identity(spec)) ?? { why: `a ${provider.kind} cannot be saved` };
    if ('why' in support) return support.why;
    machines.push([name, support.identity]);
  }
  const { source, setup, tests, root } = cell.suite;
  const parts = deployersOf(cell.suite).map(({ ingredients }) => ingredients?.(cell.suite) ?? {});
  const deployed = Object.assign({ ready: cell.suite.stack.ready }, ...parts);
  const work = tests.length > 0 || setup.length > 0 ? { source: source !== undefined, setup, root } : undefined;
  const ingredients = { machines, deployed, ...(work ? { work } : {}) };
  const { cache, limitBytes, signal } = store;
  return {
    async find() {
      const entry = await findEntry(cache, 'snapshot', ingredients, { signal });
      if (!entry) return undefined;
      const scale = JSON.parse(await readFile(join(entry.folder, SCALE_FILE), 'utf8')) as Scale;
      const found = { folder: entry.folder, createdAt: entry.meta.createdAt, scale };
      if (!work) return found;
      const setUp = setUpState.parse(JSON.parse(await readFile(join(entry.folder, SET_UP_FILE), 'utf8')));
      if (setUpFrom(setUp.entries, setUp.reads, tree?.entries ?? [])) return { ...found, setUp };
      // Make way for the next snapshot, which gets the same name.
      await rm(entry.folder, { recursive: true, force: true });
      return undefined;
    },
    async save(nodes, { scale, setUp }) {
      const label = `${cell.arch} ${cell.suite.name}`;
      const needBytes = specs.reduce((sum, { spec }) => sum + spec.memoryBytes, 2 ** 30);
      await cached({ cache, kind: 'snapshot', label, ingredients, needBytes, signal }, async (folder) => {
        const barrier = createBarrier(nodes.length);
        const saves = nodes.map(async ({ name, target }) => {
          await mkdir(join(folder, name));
          await target.snapshots?.save(join(folder, name), barrier);
        });
        await Promise.all(
          saves.map((save) =>
            save.catch((error: Error) => {
              barrier.fail(error);
              throw error;
            }),
          ),
        );
        await writeFile(join(folder, SCALE_FILE), savedScale(scale));
        if (setUp) await writeFile(join(folder, SET_UP_FILE), JSON.stringify(setUp));
      });
      await evictOldest(cache, 'snapshot', limitBytes);
    },
    rescale: (found, scale) => replaceFile(join(found.folder, SCALE_FILE), savedScale(scale)),
    drop: (found) => rm(found.folder, { recursive: true, force: true }),
  };
}

function savedScale(scale: Scale): string {
  return JSON.stringify({ ...scale, source: 'snapshot' });
}

/** One sentence for a log: why a snapshot was not used. */
export function droppedMessage(cause: unknown): string {
  return `its snapshot was dropped, so it starts cold: ${messageOf(cause)}`;
}
