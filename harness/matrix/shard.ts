import { ConfigError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';

/** One of several jobs that share the cells of a matrix. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** `2/5`. @throws ConfigError for anything else. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index >= 1 && shard.index <= shard.count))
    throw new ConfigError(`--shard is ${quote(text)}, expected i/n, such as 1/3, 2/3 and 3/3`);
  return shard;
}

/**
 * The cells of one shard: the longest first, each to the shard that has least to do so far, so that no shard takes
 * longer than 4/3 of the best division (Graham, Bounds on Multiprocessing Timing Anomalies, 1969). The same cells and
 * durations give the same shards, whichever is asked for. A shard is empty only where there are more of them than cells.
 * @param durations milliseconds by a cell's name; a cell without a valid one takes the median.
 */
export function shardOf<T extends { readonly name: string }>(
  cells: readonly T[],
  { index, count }: Shard,
  durations: ReadonlyMap<string, number>,
): T[] {
  const known = [...durations.values()].filter(isDuration).sort((a, b) => a - b);
  const usual = known[known.length >> 1] ?? 1;
  const sized = cells.map((cell) => {
    const ms = durations.get(cell.name);
    return { cell, ms: isDuration(ms) ? ms : usual };
  });
  sized.sort((a, b) => b.ms - a.ms || (a.cell.name < b.cell.name ? -1 : 1));
  const shards = Array.from({ length: count }, () => ({ ms: 0, names: new Set<string>() }));
  for (const { cell, ms } of sized) {
    const least = shards.reduce((best, shard) => {
      // Otherwise all cells that take no time would go to the first.
      const more = shard.ms - best.ms || shard.names.size - best.names.size;
      return more < 0 ? shard : best;
    });
    least.ms += ms;
    least.names.add(cell.name);
  }
  return cells.filter(({ name }) => shards[index - 1]!.names.has(name));
}

function isDuration(ms: number | undefined): ms is number {
  return ms !== undefined && Number.isFinite(ms) && ms >= 0;
}
