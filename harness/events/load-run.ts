import { join } from 'node:path';
import { RunFold } from './fold.ts';
import { batchesIn } from './reader.ts';
import type { RunResult } from './result.ts';

/** The result of the run in a folder. @throws as {@link foldFile}. */
export function loadRun(folder: string): Promise<RunResult> {
  return foldFile(join(folder, 'events.jsonl'));
}

/**
 * Folds the events of a file without holding them all in memory. A torn last line is left out, as after a kill.
 * @throws ConfigError when there is no such file, or a newer harness wrote it.
 * @throws HarnessError with `file:line` when it is damaged.
 */
export async function foldFile(file: string): Promise<RunResult> {
  const fold = new RunFold();
  for await (const events of batchesIn(file)) for (const event of events) fold.add(event);
  return fold.result();
}
