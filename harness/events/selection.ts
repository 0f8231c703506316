import { parseCellName } from '../base/cell-name.ts';
import type { Selection } from './types.ts';

/** Options that divide or narrow a run; names of cells replace them. */
const NARROWING: ReadonlySet<string> = new Set(['only', 'shard', 'durations', 'bail']);

/** How to turn a selection into one of some of its cells. */
export interface Narrowed {
  /** The names of the cells. */
  readonly cells?: readonly string[];
  /** `2/5`: one of several jobs that share them. */
  readonly shard?: string;
}

/**
 * The options that choose just some cells of a selection: names of cells replace the filters, and if the matrix prefers
 * one kind of target to another, the cells' kind is added.
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
 * The arguments of `harness run` that choose the cells of a selection again, or some of them. Jobs, shards and every
 * re-run command are made by this function.
 * @param options.matrix whether the matrix is among them.
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
    // A command comes last.
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
