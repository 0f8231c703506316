import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeBelow } from '../../base/files.ts';
import type { Matrix } from '../../config/suite.ts';
import type { Cell } from '../../matrix/cell.ts';
import { listSource } from '../../source/list.ts';
import type { SourceTree } from '../../source/tree.ts';

/** The inputs of a run with a digest of each: files by their path in the project, and settings without a file. */
export type Inputs = Readonly<Record<string, string>>;

/** Bytes of a digest: enough to detect accidental changes; nobody forges them. */
const DIGEST = 16;

/**
 * The files that define a run: the matrix, and everything in the folders of its suites. Suites that come with the
 * package are covered by the package's version.
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
    // The folder of a suite from the command line is the whole project; only the copied source counts.
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

/** The differences between two sets of inputs, in words; empty if there are none. */
export function changesIn(then: Inputs, now: Inputs): string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  const changed = names.flatMap((name) => {
    if (then[name] === now[name]) return [];
    if (now[name] === undefined) return [`${name} is gone`];
    return [then[name] === undefined ? `${name} is new` : `${name} has changed`];
  });
  // If a suite's settings come from a changed file, the file's name says more.
  const files = changed.filter((one) => !one.startsWith('the settings of '));
  return files.length > 0 ? files : changed;
}
