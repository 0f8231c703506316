import { printable } from '../base/text.ts';
import { type CellOptions, type ChosenCells, planCells } from '../matrix/plan.ts';

/**
 * The cells that a command line chooses. Mistakes elsewhere in the project are warnings on stderr.
 * @throws ConfigError if it chooses none, or one of a suite with a mistake.
 */
export async function chooseCells(
  named: string | undefined,
  options: CellOptions,
  cwd: string = process.cwd(),
): Promise<ChosenCells> {
  const chosen = await planCells(named, options, cwd);
  warn(chosen.warnings);
  return chosen;
}

/** Prints warnings on stderr. */
export function warn(warnings: readonly string[]): void {
  for (const line of warnings.flatMap((warning) => warning.split('\n')))
    process.stderr.write(`warning: ${printable(line)}\n`);
}
