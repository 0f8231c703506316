import { ConfigError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import { shellQuote } from '../base/text.ts';

/** A job that runs some cells, for any CI service. */
export interface CellJob {
  /** For people, and for the names of artifacts: without slashes. */
  readonly id: string;
  readonly name: string;
  /** Where it runs: a runner's label, an agent's queue. */
  readonly runner: string;
  /** Arguments of `harness run` after the matrix, quoted for a shell if necessary. */
  readonly args: string;
  /** Cache key for images and snapshots: the same as long as the stacks of its cells are. */
  readonly cacheKey: string;
}

export interface JobOptions<T> {
  /** Names the images that some cells need. */
  readonly imagesKey: (cells: readonly T[]) => string;
  /** The arguments that choose some of the cells, or a shard of them, in their own job. */
  readonly words: (narrowed: { readonly cells?: readonly string[]; readonly shard?: string }) => readonly string[];
  readonly shards?: number | undefined;
  readonly runners: ReadonlyMap<string, string>;
  readonly defaultRunner: string;
}

/** `arm64=ubuntu-24.04-arm`, as a label for each architecture. @throws ConfigError for anything else. */
export function parseRunners(
  texts: readonly string[],
  archOf: (spelling: string) => string | undefined,
): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const [, spelling = '', label] = /^([^=]+)=([A-Za-z0-9._-]+)$/.exec(text) ?? [];
      const arch = archOf(spelling);
      if (arch === undefined || label === undefined)
        throw new ConfigError(`--runner is ${quote(text)}, expected ARCH=LABEL, such as arm64=ubuntu-24.04-arm`);
      return [arch, label];
    }),
  );
}

/**
 * One job per cell, or per shard if `shards` is given. Emulated machines run anywhere, so all use the default runner
 * unless one is named for their architecture.
 */
export function jobsOf<T extends { readonly name: string; readonly arch: string }>(
  cells: readonly T[],
  options: JobOptions<T>,
): readonly CellJob[] {
  const { shards, runners, defaultRunner, imagesKey } = options;
  const argsOf = (...narrowed: Parameters<typeof options.words>) =>
    options
      .words(...narrowed)
      .map(shellQuote)
      .join(' ');
  const cellJobs = () =>
    cells.map((cell): CellJob => {
      const { name, arch } = cell;
      return {
        id: name.replaceAll(/[^A-Za-z0-9._+-]/g, '-'),
        name,
        runner: runners.get(arch) ?? defaultRunner,
        args: argsOf({ cells: [name] }),
        cacheKey: `harness-${arch}-${imagesKey([cell])}`,
      };
    });
  const shardJobs = (count: number) =>
    Array.from({ length: count }, (_, index): CellJob => {
      const shard = `${index + 1}/${count}`;
      return {
        id: `shard-${index + 1}`,
        name: `shard ${shard}`,
        runner: defaultRunner,
        args: argsOf({ shard }),
        cacheKey: `harness-all-${imagesKey(cells)}`,
      };
    });
  // No more shards than cells: a job without cells would do nothing and pass.
  return shards === undefined ? cellJobs() : shardJobs(Math.min(shards, cells.length));
}
