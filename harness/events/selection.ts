import { parseCellName } from '../base/cell-name.ts';
import { shellQuote } from '../base/text.ts';
import type { Selection } from './types.ts';

/** Options that divide or narrow cells: where cells are named, the names take their place. */
const NARROWING: ReadonlySet<string> = new Set(['only', 'shard', 'durations']);

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

/** A run, as far as its choice is concerned. */
interface Chosen {
  readonly matrix: { readonly name: string; readonly file?: string };
  readonly selection?: Selection;
}

/** The command that runs some cells of a run again. A run of before choices were noted has its matrix only. */
export function rerunCommand(run: Chosen, cells: readonly { readonly name: string; readonly selection?: Selection }[]) {
  const selection = cells[0]?.selection ?? run.selection ?? { matrix: run.matrix.file ?? run.matrix.name, options: {} };
  const words = selectionWords(selection, { cells: cells.map(({ name }) => name) });
  // Names of cells are globs, and somebody may want to edit them: they are quoted whether they need it or not.
  const shown = words.map((word, index) => (words[index - 1] === '--only' ? `'${word}'` : shellQuote(word)));
  return ['npx harness run', ...shown].join(' ');
}

/** `--only a --only b`, `--no-bench`, `--cold`. */
function optionWords(name: string, value: Selection['options'][string]): string[] {
  const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (value === false) return [`--no-${flag}`];
  if (value === true) return [`--${flag}`];
  return [value].flat().flatMap((one) => [`--${flag}`, String(one)]);
}
