import { printable } from '../base/text.ts';
import { type CellOptions, type ChosenCells, planCells } from '../matrix/plan.ts';

/**
 * The cells that a command line means. What is wrong elsewhere in the project is a warning on stderr.
 * @throws ConfigError when it means none, or one of a suite with a mistake.
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

/** Prints what stops nothing on stderr. */
export function warn(warnings: readonly string[]): void {
  for (const line of warnings.flatMap((warning) => warning.split('\n')))
    process.stderr.write(`warning: ${printable(line)}\n`);
}
