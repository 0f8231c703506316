import { archNames, archsOf, type CellArch } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { quote } from '../config/quote.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { type Preference, preferencesOf } from '../config/targets.ts';
import type { Cell } from './cell.ts';
import { cellGlob, globHint } from './glob.ts';

/** More than anybody means: each of them boots a machine. */
export const MAX_CELLS = 1000;

interface Combination {
  readonly arch: CellArch;
  readonly target: Cell['target'];
  readonly suite: string;
  readonly passedOver?: readonly string[];
}

/** Which of several kinds of target is taken, and why not those before it. */
export type Choose = (
  kinds: Preference,
  cell: { readonly arch: CellArch; readonly suite: string },
) => Pick<Combination, 'target' | 'passedOver'>;

/** The first, whether there is one of it or not. */
const first: Choose = ([target]) => ({ target });

/** The name of a cell, everywhere: `arch/target/suite`. */
export function cellName({ arch, target, suite }: Combination): string {
  return `${arch}/${target}/${suite}`;
}

/**
 * The cells of a matrix: its product in the order in which it is written, and its `include`, without its `exclude` and
 * without what a suite is not made for; each cell once. Those of the control architecture come first, because the
 * others are compared with them.
 * @param suites every suite that the matrix names.
 * @param choose which kind of target a cell takes where the matrix prefers one to another; default: the first.
 * @throws ConfigError when nothing is left, when there are more than `MAX_CELLS`, or when an entry has no effect.
 */
export function expandCells(matrix: Matrix, suites: ReadonlyMap<string, Suite>, choose: Choose = first): Cell[] {
  const where = `cannot expand matrix ${quote(matrix.name)}`;
  const all = combinations(matrix, where, choose);
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
    const why = whyNotFor(suiteOf(cell.suite), cell.arch);
    if (why !== undefined) throw new ConfigError(`${where}: include ${cellName(cell)} cannot run: ${why}`);
  }
  const made = kept.filter((cell) => whyNotFor(suiteOf(cell.suite), cell.arch) === undefined);
  if (made.length === 0)
    throw new ConfigError(`${where}: it has no cells`, { hint: whyEmpty(all.length, kept.length) });
  if (made.length > MAX_CELLS)
    throw new ConfigError(`${where}: it has ${made.length} cells, at most ${MAX_CELLS} are possible`);
  const names = made.map(cellName);
  const silent = matrix['non-voting'].map((glob) => {
    const match = cellGlob(glob);
    if (!lenient && !names.some((name) => match(name))) {
      const hint = globHint(glob, names);
      throw new ConfigError(`${where}: non-voting ${quote(glob)} matches no cell`, hint === undefined ? {} : { hint });
    }
    return match;
  });
  const cells = made.map((cell): Cell => {
    const name = cellName(cell);
    return { ...cell, name, suite: suiteOf(cell.suite), voting: !silent.some((match) => match(name)) };
  });
  return [
    ...cells.filter((cell) => cell.arch === matrix.control),
    ...cells.filter((cell) => cell.arch !== matrix.control),
  ];
}

/** What keeps a suite from running on an architecture, or on several at once. */
function whyNotFor(suite: Suite, arch: CellArch): string | undefined {
  const archs = archsOf(arch);
  const made = suite.arch;
  if (made && !archs.every((one) => made.includes(one))) return `the suite is made for ${made.join(', ')}`;
  const nodes = Math.max(1, Object.keys(suite.nodes).length);
  return archs.length > nodes
    ? `the suite has ${nodes} ${nodes === 1 ? 'machine' : 'machines'}, for ${archs.length} architectures`
    : undefined;
}

function combinations(matrix: Matrix, where: string, choose: Choose): Combination[] {
  // Before the product is made: three short lists can ask for a great many.
  const preferences = preferencesOf(matrix);
  const product = matrix.arch.length * preferences.length * matrix.suite.length;
  if (product > MAX_CELLS * archNames.length) {
    throw new ConfigError(`${where}: it has ${product} cells, at most ${MAX_CELLS} are possible`);
  }
  const unique = new Map<string, Combination>();
  const add = (cell: Combination) => {
    if (!unique.has(cellName(cell))) unique.set(cellName(cell), cell);
  };
  for (const arch of matrix.arch)
    for (const kinds of preferences)
      for (const suite of matrix.suite) add({ arch, suite, ...choose(kinds, { arch, suite }) });
  for (const cell of matrix.include) add(cell);
  return [...unique.values()];
}

type Selector = Matrix['exclude'][number];

function matches(entry: Selector, cell: Combination): boolean {
  return (['arch', 'target', 'suite'] as const).every((key) => {
    const wanted = entry[key];
    return wanted === undefined || [wanted].flat().includes(cell[key] as never);
  });
}

function selectorText(entry: Selector): string {
  const parts = Object.entries(entry).map(([key, value]) => `${key}: ${[value].flat().join(', ')}`);
  return `{ ${parts.join('; ')} }`;
}

function whyEmpty(all: number, kept: number): string {
  return kept === 0
    ? `its exclude leaves out all ${all}`
    : `its suites are made for none of its architectures: look at \`arch\` in suite.yaml`;
}
