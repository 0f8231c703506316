import { archNames, findCellArch } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { didYouMean, expectedOneOf } from '../base/nearest.ts';
import { quote } from '../base/quote.ts';
import { splitList } from '../base/split-list.ts';
import { releaseNames } from '../releases/index.ts';
import { isMadeHere, targetKinds } from '../targets/kinds.ts';
import { archSpellings } from '../yaml/fields.ts';
import type { Cell } from './cell.ts';
import { cellGlob, globHint } from './glob.ts';

/** Filters of the command line. A cell must pass all of them, and match any value of each. */
export interface CellFilter {
  /** Any spelling; comma-separated lists are split, here and below. */
  readonly arch?: readonly string[] | undefined;
  readonly target?: readonly string[] | undefined;
  readonly suite?: readonly string[] | undefined;
  /** Debian releases; a cell on a machine with a system of its own has none. */
  readonly release?: readonly string[] | undefined;
  /** Globs on the cell's name. Not split: a comma belongs to `{a,b}`. */
  readonly only?: readonly string[] | undefined;
}

/**
 * The cells that pass a filter, in their order.
 * @throws ConfigError for an unknown architecture, kind of target or suite, and if nothing passes.
 */
export function filterCells(cells: readonly Cell[], filter: CellFilter): Cell[] {
  const suites = [...new Set(cells.map((cell) => cell.suite.name))];
  const archs = splitList(filter.arch).map(
    (word) => findCellArch(word) ?? unknown('architecture', word, archNames, archSpellings),
  );
  const targets = splitList(filter.target).map((word) => known('kind of target', word, targetKinds));
  const wanted = splitList(filter.suite).map((word) => known('suite', word, suites));
  const releases = splitList(filter.release).map((word) => known('Debian release', word, releaseNames));
  const globs = (filter.only ?? []).filter((glob) => glob !== '').map((glob) => cellGlob(glob));
  const passed = cells.filter(
    (cell) =>
      (archs.length === 0 || archs.includes(cell.arch)) &&
      (targets.length === 0 || targets.includes(cell.target)) &&
      (wanted.length === 0 || wanted.includes(cell.suite.name)) &&
      (releases.length === 0 || (isMadeHere(cell.target) && releases.includes(cell.release))) &&
      (globs.length === 0 || globs.some((match) => match(cell.name))),
  );
  if (passed.length > 0) return passed;
  const names = cells.map(({ name }) => name);
  const hints = (filter.only ?? []).flatMap((glob) =>
    names.some(cellGlob(glob)) ? [] : (globHint(glob, names) ?? []),
  );
  throw new ConfigError(
    `no cell matches ${filterText(filter)}; the cells are ${cellNames(cells)}`,
    hints[0] === undefined ? {} : { hint: hints[0] },
  );
}

function known(what: string, word: string, among: readonly string[]): string {
  return among.includes(word) ? word : unknown(what, word, among, among);
}

function unknown(what: string, word: string, among: readonly string[], words: readonly string[]): never {
  throw new ConfigError(`unknown ${what} ${quote(word)}, ${expectedOneOf(among)}${didYouMean(word, words)}`);
}

function filterText(filter: CellFilter): string {
  const parts = (['arch', 'target', 'suite', 'release', 'only'] as const).flatMap((key) => {
    const values = filter[key] ?? [];
    return values.length === 0 ? [] : [`--${key} ${values.map((value) => quote(value)).join(', ')}`];
  });
  return parts.join(' ');
}

function cellNames(cells: readonly Cell[]): string {
  const names = cells.slice(0, 20).map((cell) => cell.name);
  const more = cells.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
