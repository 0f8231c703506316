import { resolve } from 'node:path';
import type { Suite } from '../../config/suite.ts';
import { sourcePackage } from '../../images/source-package.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { ReleaseName } from '../../releases/index.ts';
import { readSource, type SourceTree } from '../../source/tree.ts';
import type { CommonSettings } from './image.ts';

interface SourceOptions {
  readonly settings: CommonSettings;
  /** Maximum total size of one source. */
  readonly limitBytes: number;
  readonly signal: AbortSignal;
  readonly progress: (suite: string, message: string) => void;
}

/**
 * The sources that cells copy to their machines, by suite name, as they are now. All cells of a run get the same one; a
 * Debian source package is that of the first cell's release.
 * @throws ConfigError when a source is missing or too large.
 */
export async function sourcesOf(cells: readonly Cell[], options: SourceOptions): Promise<Map<string, SourceTree>> {
  const trees = new Map<string, SourceTree>();
  for (const { suite, release } of cells) {
    if (suite.source === undefined || trees.has(suite.name)) continue;
    const whole = typeof suite.source !== 'string';
    const folder = await folderOf(suite, suite.source, release, options);
    trees.set(suite.name, await readSource(folder, options.limitBytes, whole));
  }
  return trees;
}

async function folderOf(
  suite: Suite,
  source: NonNullable<Suite['source']>,
  release: ReleaseName,
  { settings, signal, progress }: SourceOptions,
): Promise<string> {
  if (typeof source === 'string') return resolve(suite.folder, source);
  return sourcePackage(
    source.debian,
    { ...settings, release },
    { signal, progress: (message) => progress(suite.name, message) },
  );
}
