import { cacheFolder } from '../base/folders.ts';
import { type HistoryNight, indexFile, readHistory } from '../nights/history-index.ts';

/** The runs of a history, by way of its index in the cache. */
export async function nightsOf(folder: string): Promise<HistoryNight[]> {
  return readHistory(folder, await indexFile(cacheFolder(), folder));
}
