import { type CellOptions, chooseCells } from './cells.ts';

/** `harness list [matrix]`: the names of the cells, one a line; nothing is started. */
export async function list(named: string | undefined, options: CellOptions): Promise<number> {
  const { matrix, cells } = await chooseCells(named, options);
  if (options.json) {
    const shown = cells.map(({ name, arch, target, suite, voting }) => ({
      name,
      arch,
      target,
      suite: suite.name,
      voting,
    }));
    process.stdout.write(
      `${JSON.stringify({ matrix: matrix.name, control: matrix.control, cells: shown }, null, 2)}\n`,
    );
  } else {
    for (const { name, voting } of cells) process.stdout.write(`${name}${voting ? '' : '  (non-voting)'}\n`);
  }
  return 0;
}
