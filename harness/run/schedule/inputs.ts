import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeBelow } from '../../base/files.ts';
import type { Matrix } from '../../config/suite.ts';
import type { Cell } from '../../matrix/cell.ts';
import { listSource } from '../../source/list.ts';
import type { SourceTree } from '../../source/tree.ts';

/** What a run was made of, each with a digest of what it held: files by their path in the project, and what has no file. */
export type Inputs = Readonly<Record<string, string>>;

/** Bytes of digest: what differs by accident is to be told, nobody forges it. */
const DIGEST = 16;

/**
 * The files that say what a run does: the matrix, and everything in the folders of its suites. What comes with the package is
 * of its version.
 */
export async function inputsOf(
  { matrix, cells, project }: { readonly matrix: Matrix; readonly cells: readonly Cell[]; readonly project: string },
  sources: ReadonlyMap<string, SourceTree>,
): Promise<Inputs> {
  const inputs: Record<string, string> = {};
  const add = async (file: string) => {
    const path = placeBelow(project, file);
    const content = path === undefined ? undefined : await readFile(file).catch(() => undefined);
    if (path !== undefined && content !== undefined) inputs[path] = digestOf(content);
  };
  if (matrix.file !== undefined) await add(matrix.file);
  for (const suite of new Map(cells.map(({ suite }) => [suite.name, suite])).values()) {
    // A command line's folder is the whole project: its source is what counts.
    const { folder, ...config } = suite;
    inputs[`the settings of ${suite.name}`] = digestOf(JSON.stringify(config));
    if (!suite.commandLine && placeBelow(project, folder) !== undefined)
      for (const path of await listSource(folder, true).catch(() => []))
        if (!path.split('/').includes('node_modules')) await add(join(folder, path));
    const source = sources.get(suite.name);
    if (source) inputs[`the source of ${suite.name}`] = digestOf(JSON.stringify(source.entries));
  }
  return inputs;
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, DIGEST);
}

/** What differs between the inputs of then and now, in words; empty where nothing does. */
export function changesIn(then: Inputs, now: Inputs): string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  const changed = names.flatMap((name) => {
    if (then[name] === now[name]) return [];
    if (now[name] === undefined) return [`${name} is gone`];
    return [then[name] === undefined ? `${name} is new` : `${name} has changed`];
  });
  // A suite's settings are in a file, mostly: the file says more.
  const files = changed.filter((one) => !one.startsWith('the settings of '));
  return files.length > 0 ? files : changed;
}
