/** The parts of a cell's name. */
export interface CellNameParts {
  readonly arch: string;
  readonly target: string;
  readonly suite: string;
  /** The Debian release of its guests, if the matrix has several. */
  readonly release?: string | undefined;
}

/**
 * The name of a cell in lists, filters, logs, folders and reports: `arch/target/suite`, or `arch/target/suite@release`
 * in a matrix of several releases. Only this function composes it.
 */
export function cellName({ arch, target, suite, release }: CellNameParts): string {
  return `${arch}/${target}/${suite}${release === undefined ? '' : `@${release}`}`;
}

/** The parts of a name, or undefined if it is not the name of a cell. Only this function parses it. */
export function parseCellName(name: string): CellNameParts | undefined {
  const [, arch, target, suite, release] = /^([^/@]+)\/([^/@]+)\/([^/@]+)(?:@([^/@]+))?$/.exec(name) ?? [];
  if (arch === undefined || target === undefined || suite === undefined) return undefined;
  return { arch, target, suite, ...(release === undefined ? {} : { release }) };
}
