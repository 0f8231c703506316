import { architectures, archsOf, type CellArch, findCellArch, usualArchs } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { splitList } from '../base/split-list.ts';
import { isMadeHere } from '../targets/kinds.ts';
import { releasesOf } from './releases.ts';
import type { Matrix } from './suite.ts';
import { preferencesOf } from './targets.ts';

/** The options of a command line that may name architectures. */
export interface ArchWords {
  /** In any spelling; lists are split at commas. */
  readonly arch?: readonly string[] | undefined;
  /** Globs on names of cells, which begin with the architecture. */
  readonly only?: readonly string[] | undefined;
}

/**
 * Adds to a matrix those architectures of a command line that no default includes, when they are named. Any other
 * architecture has to be in the matrix already. Unknown words are left for the filter to refuse.
 * @param matrix with the releases of the command line.
 * @throws ConfigError for one that Debian does not have in the matrix's releases.
 */
export function withArchs(matrix: Matrix, { arch, only = [] }: ArchWords): Matrix {
  const words = [...splitList(arch), ...only.map((glob) => glob.split('/')[0]!)];
  const named = words.map((word) => findCellArch(word)).filter((one) => one !== undefined);
  const fresh = [...new Set(named)].filter((one) => !isUsual(one) && !matrix.arch.includes(one));
  if (preferencesOf(matrix).flat().every(isMadeHere)) for (const one of fresh) requireRelease(matrix, one);
  return fresh.length === 0 ? matrix : { ...matrix, arch: [...matrix.arch, ...fresh] };
}

const isUsual = (arch: CellArch) => archsOf(arch).every((one) => usualArchs.includes(one));

function requireRelease(matrix: Matrix, arch: CellArch): void {
  const wanted = releasesOf(matrix);
  for (const one of archsOf(arch)) {
    const { releases } = architectures[one];
    if (wanted.some((release) => releases.includes(release))) continue;
    throw new ConfigError(`cannot run on ${one}: Debian ${wanted.join(' and ')} does not have it`, {
      hint: `Add --release ${releases[0]}`,
    });
  }
}
