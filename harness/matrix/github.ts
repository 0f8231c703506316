import { ConfigError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import { shellQuote } from '../base/text.ts';

/** Most entries of a `strategy.matrix`; GitHub refuses more. */
export const MAX_ENTRIES = 256;

/** One job of a `strategy.matrix`. */
export interface GithubEntry {
  /** For people, and for the names of artifacts: without slashes. */
  readonly id: string;
  readonly name: string;
  /** A runner's label. */
  readonly runner: string;
  /** What `harness run` is given beside the matrix: words, quoted as for a shell where one needs it. */
  readonly args: string;
  /** For a cache of images and snapshots: the same as long as the stacks of its cells are. */
  readonly cacheKey: string;
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
 * The `strategy.matrix` of a plan job: one entry a cell, or a shard when `shards` is given. Emulated machines run on any
 * runner, so all have the default one unless a label is named for their architecture.
 * @throws ConfigError where GitHub would refuse it.
 */
export function githubMatrix<T extends { readonly name: string; readonly arch: string }>(
  cells: readonly T[],
  options: {
    /** Names the images that some cells need. */
    readonly imagesKey: (cells: readonly T[]) => string;
    /** The words that choose some of the cells, or a shard of them, in a job of its own. */
    readonly words: (narrowed: { readonly cells?: readonly string[]; readonly shard?: string }) => readonly string[];
    readonly shards?: number | undefined;
    readonly runners: ReadonlyMap<string, string>;
    readonly defaultRunner: string;
  },
): { readonly include: readonly GithubEntry[] } {
  const { shards, runners, defaultRunner, imagesKey } = options;
  const argsOf = (...narrowed: Parameters<typeof options.words>) =>
    options
      .words(...narrowed)
      .map(shellQuote)
      .join(' ');
  const cellJobs = () =>
    cells.map((cell): GithubEntry => {
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
    Array.from({ length: count }, (_, index): GithubEntry => {
      const shard = `${index + 1}/${count}`;
      return {
        id: `shard-${index + 1}`,
        name: `shard ${shard}`,
        runner: defaultRunner,
        args: argsOf({ shard }),
        cacheKey: `harness-all-${imagesKey(cells)}`,
      };
    });
  // No more shards than cells: a job without cells would do nothing, and say that it passed.
  const include = shards === undefined ? cellJobs() : shardJobs(Math.min(shards, cells.length));
  if (include.length > MAX_ENTRIES)
    throw new ConfigError(`cannot make a GitHub matrix of ${include.length} jobs: it may have at most ${MAX_ENTRIES}`, {
      hint: '--shards 64 makes jobs of several cells each.',
    });
  return { include };
}
