import { architectures, archNames, archsOf, type CellArch } from '../arch/index.ts';
import { cellName } from '../base/cell-name.ts';
import { ConfigError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import { releasesOf } from '../config/releases.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { type Preference, preferencesOf } from '../config/targets.ts';
import type { ReleaseName } from '../releases/index.ts';
import { isMadeHere } from '../targets/kinds.ts';
import type { Cell } from './cell.ts';
import { cellGlob, globHint } from './glob.ts';

/** More than anybody wants: each of them boots a machine. */
export const MAX_CELLS = 1000;

interface Combination {
  readonly name: string;
  readonly arch: CellArch;
  readonly target: Cell['target'];
  readonly suite: string;
  readonly release: ReleaseName;
  readonly passedOver?: readonly string[];
}

/** The chosen kind of target, and why not the ones before it. */
export type Choose = (
  kinds: Preference,
  cell: { readonly arch: CellArch; readonly suite: string },
) => Pick<Combination, 'target' | 'passedOver'>;

/** The first, available or not. */
const first: Choose = ([target]) => ({ target });

/**
 * The cells of a matrix: its product in the order written, and its `include`, without its `exclude` and without
 * combinations that a suite does not support or Debian does not have; each cell once. Those of the control architecture
 * come first, because the others are compared with them.
 * @param suites every suite that the matrix names.
 * @param choose which kind of target a cell takes if the matrix prefers one to another; default: the first.
 * @throws ConfigError if no cells are left, if there are more than `MAX_CELLS`, or if an entry has no effect.
 */
export function expandCells(matrix: Matrix, suites: ReadonlyMap<string, Suite>, choose: Choose = first): Cell[] {
  const where = `cannot expand matrix ${quote(matrix.name)}`;
  const releases = releasesOf(matrix);
  const all = combinations(matrix, releases, where, choose);
  // An entry without effect is a mistake, unless a command line or the machine decides which kinds of target there are.
  const lenient = matrix.narrowed === true || preferencesOf(matrix).some((kinds) => kinds.length > 1);
  const kept = all.filter((cell) => !matrix.exclude.some((entry) => matches(entry, cell)));
  for (const entry of matrix.exclude) {
    if (!lenient && !all.some((cell) => matches(entry, cell)))
      throw new ConfigError(`${where}: exclude ${selectorText(entry)} matches no cell`);
  }
  const suiteOf = (name: string): Suite => {
    const suite = suites.get(name);
    if (!suite) throw new ConfigError(`${where}: unknown suite ${quote(name)}`);
    return suite;
  };
  for (const cell of matrix.include) {
    // Of several releases one is enough: Debian may not have the architecture in the others.
    const whys = (cell.release ? [cell.release] : releases).map((release) =>
      whyNotFor(suiteOf(cell.suite), { ...cell, release }),
    );
    if (!whys.includes(undefined)) throw new ConfigError(`${where}: include ${cellName(cell)} cannot run: ${whys[0]}`);
  }
  const made = kept.filter((cell) => whyNotFor(suiteOf(cell.suite), cell) === undefined);
  if (made.length === 0)
    throw new ConfigError(`${where}: it has no cells`, { hint: whyEmpty(all.length, kept.length) });
  if (made.length > MAX_CELLS)
    throw new ConfigError(`${where}: it has ${made.length} cells, at most ${MAX_CELLS} are possible`);
  const names = made.map(({ name }) => name);
  const silent = matrix['non-voting'].map((glob) => {
    const match = cellGlob(glob);
    if (!lenient && !names.some((name) => match(name))) {
      const hint = globHint(glob, names);
      throw new ConfigError(`${where}: non-voting ${quote(glob)} matches no cell`, hint === undefined ? {} : { hint });
    }
    return match;
  });
  const cells = made.map(
    (cell): Cell => ({ ...cell, suite: suiteOf(cell.suite), voting: !silent.some((match) => match(cell.name)) }),
  );
  return [
    ...cells.filter((cell) => cell.arch === matrix.control),
    ...cells.filter((cell) => cell.arch !== matrix.control),
  ];
}

/** Why a suite cannot run on an architecture, or on several at once, of a release. */
function whyNotFor(
  suite: Suite,
  { arch, target, release }: Pick<Combination, 'arch' | 'target' | 'release'>,
): string | undefined {
  const archs = archsOf(arch);
  const without = isMadeHere(target) && archs.find((one) => !architectures[one].releases.includes(release));
  if (without) return `Debian ${release} has no ${without}`;
  const made = suite.arch;
  if (made && !archs.every((one) => made.includes(one))) return `the suite is made for ${made.join(', ')}`;
  const nodes = Math.max(1, Object.keys(suite.nodes).length);
  return archs.length > nodes
    ? `the suite has ${nodes} ${nodes === 1 ? 'machine' : 'machines'}, for ${archs.length} architectures`
    : undefined;
}

function combinations(matrix: Matrix, releases: readonly ReleaseName[], where: string, choose: Choose): Combination[] {
  // Checked before the product is made: three short lists can ask for a great many.
  const preferences = preferencesOf(matrix);
  const product = matrix.arch.length * preferences.length * matrix.suite.length * releases.length;
  if (product > MAX_CELLS * archNames.length) {
    throw new ConfigError(`${where}: it has ${product} cells, at most ${MAX_CELLS} are possible`);
  }
  const unique = new Map<string, Combination>();
  // Several are distinguished by name, regardless of exclusions and filters: a cell keeps its name.
  const several = new Set([...releases, ...matrix.include.map(({ release }) => release ?? releases[0])]).size > 1;
  const add = (cell: Omit<Combination, 'name'>) => {
    const made = isMadeHere(cell.target);
    const name = cellName({ ...cell, release: several && made ? cell.release : undefined });
    if (!unique.has(name)) unique.set(name, { ...cell, name, release: made ? cell.release : releases[0]! });
  };
  for (const arch of matrix.arch)
    for (const kinds of preferences)
      for (const suite of matrix.suite) {
        const chosen = choose(kinds, { arch, suite });
        for (const release of releases) add({ arch, suite, release, ...chosen });
      }
  for (const cell of matrix.include)
    for (const release of cell.release ? [cell.release] : releases) add({ ...cell, release });
  return [...unique.values()];
}

type Selector = Matrix['exclude'][number];

function matches(entry: Selector, cell: Combination): boolean {
  return (['arch', 'target', 'suite', 'release'] as const).every((key) => {
    const wanted = entry[key];
    if (wanted === undefined) return true;
    return (key !== 'release' || isMadeHere(cell.target)) && [wanted].flat().includes(cell[key] as never);
  });
}

function selectorText(entry: Selector): string {
  const parts = Object.entries(entry).map(([key, value]) => `${key}: ${[value].flat().join(', ')}`);
  return `{ ${parts.join('; ')} }`;
}

function whyEmpty(all: number, kept: number): string {
  return kept === 0
    ? `its exclude leaves out all ${all}`
    : `its suites are made for none of its architectures, or Debian has none of them in its releases: look at \`arch\` in suite.yaml and \`images.release\``;
}
