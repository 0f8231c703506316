import type { CellOptions } from '../../matrix/plan.ts';
import { chooseCells } from '../cells.ts';
import type { CliCommand } from '../command.ts';
import { cellOptions } from '../options.ts';

/** `harness list [matrix]`: the names of the cells, one per line; starts nothing. */
async function list(named: string | undefined, options: CellOptions): Promise<number> {
  const { matrix, cells } = await chooseCells(named, options);
  if (options.json) {
    const shown = cells.map(({ name, arch, target, suite, voting, passedOver }) => ({
      name,
      arch,
      target,
      suite: suite.name,
      voting,
      ...(passedOver && passedOver.length > 0 ? { passedOver } : {}),
    }));
    process.stdout.write(
      `${JSON.stringify({ matrix: matrix.name, control: matrix.control, cells: shown }, null, 2)}\n`,
    );
  } else {
    for (const { name, voting, passedOver = [] } of cells) {
      const notes = [...(voting ? [] : ['non-voting']), ...passedOver.map((why) => `preferred, but ${why}`)];
      process.stdout.write(`${name}${notes.length > 0 ? `  (${notes.join('; ')})` : ''}\n`);
    }
  }
  return 0;
}

export const listCommand: CliCommand = {
  name: 'list',
  takesCommand: true,
  declare: (command) => cellOptions(command).description('show every cell without starting anything'),
  act: list,
};
