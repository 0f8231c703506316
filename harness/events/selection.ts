import { parseCellName } from '../base/cell-name.ts';
import type { Selection } from './types.ts';

/** Options that divide or narrow a run: where cells are named, the names take their place. */
const NARROWING: ReadonlySet<string> = new Set(['only', 'shard', 'durations', 'bail']);

/** What becomes of a selection for some of its cells. */
export interface Narrowed {
  /** The names of the cells. */
  readonly cells?: readonly string[];
  /** `2/5`: one of several jobs that share them. */
  readonly shard?: string;
}

/**
 * The options that choose just some of the cells of a selection: their names take the place of what narrowed it before,
 * and where the matrix prefers one kind of target to another, their kind is among them.
 */
export function optionsFor({ options, prefers }: Selection, cells: readonly string[]): Selection['options'] {
  const kinds = [...new Set(cells.flatMap((name) => parseCellName(name)?.target ?? []))];
  const kept = Object.entries(options).filter(([name]) => !NARROWING.has(name));
  return {
    ...Object.fromEntries(kept),
    ...(prefers && kinds.length === 1 ? { target: kinds } : {}),
    only: [cells.length === 1 ? cells[0]! : `{${cells.join(',')}}`],
  };
}

/**
 * The words behind `harness run` that choose the cells of a selection again, or some of them: the one function that
 * gives a choice back, for jobs, shards and every line that says how to run something again.
 * @param options.matrix whether the matrix is among the words.
 */
export function selectionWords(
  selection: Selection,
  narrowed: Narrowed = {},
  options: { readonly matrix: boolean } = { matrix: true },
): string[] {
  const { cells, shard } = narrowed;
  const { command, ...given } = cells === undefined ? selection.options : optionsFor(selection, cells);
  const all = shard === undefined ? given : { ...given, shard };
  return [
    ...(options.matrix && selection.matrix !== undefined ? [selection.matrix] : []),
    ...Object.entries(all).flatMap(([name, value]) => optionWords(name, value)),
    // A command stands behind everything else.
    ...(Array.isArray(command) ? ['--', ...(command as string[])] : []),
  ];
}

/** `--only a --only b`, `--no-bench`, `--cold`. */
function optionWords(name: string, value: Selection['options'][string]): string[] {
  const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (value === false) return [`--no-${flag}`];
  if (value === true) return [`--${flag}`];
  return [value].flat().flatMap((one) => [`--${flag}`, String(one)]);
}
