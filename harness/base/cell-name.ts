/** What the name of a cell says. */
export interface CellNameParts {
  readonly arch: string;
  readonly target: string;
  readonly suite: string;
  /** The Debian release of its guests, where the matrix makes cells of several. */
  readonly release?: string | undefined;
}

/**
 * The one name of a cell, in lists, filters, logs, folders and reports: `arch/target/suite`, and
 * `arch/target/suite@release` in a matrix of several releases. Nothing else puts such a name together.
 */
export function cellName({ arch, target, suite, release }: CellNameParts): string {
  return `${arch}/${target}/${suite}${release === undefined ? '' : `@${release}`}`;
}

/** What a name was put together from, or undefined where it is no name of a cell. Nothing else takes one apart. */
export function parseCellName(name: string): CellNameParts | undefined {
  const [, arch, target, suite, release] = /^([^/@]+)\/([^/@]+)\/([^/@]+)(?:@([^/@]+))?$/.exec(name) ?? [];
  if (arch === undefined || target === undefined || suite === undefined) return undefined;
  return { arch, target, suite, ...(release === undefined ? {} : { release }) };
}
