import { cacheFolder } from '../base/folders.ts';
import type { Project } from '../config/load/project.ts';
import { loadQuarantine } from '../config/load/quarantine.ts';
import type { QuarantineEntry } from '../events/types.ts';
import { historyFolder } from '../nights/history.ts';
import { indexFile, readHistory } from '../nights/history-index.ts';
import { passedInARow } from '../nights/passes.ts';

/**
 * A project's quarantine, with the passed runs in a row of each entry by its history.
 * @param history its folder, if a command line names another.
 * @throws ConfigError for mistakes in `quarantine.yaml`, and for a history that cannot be read.
 */
export async function quarantineOf(project: Project, history: string | undefined): Promise<QuarantineEntry[]> {
  const entries = await loadQuarantine(project);
  if (entries.length === 0) return [];
  const folder = history ?? historyFolder(project.root);
  const nights = await readHistory(folder, await indexFile(cacheFolder(), folder));
  const files = nights.map(({ file }) => file).reverse();
  const passes = await passedInARow(entries, files);
  return entries.map((entry, index) => ({ ...entry, passedBefore: passes[index]! }));
}
