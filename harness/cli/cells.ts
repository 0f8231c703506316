import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, messageOf } from '../base/errors.ts';
import { loadMatrix, loadSuites, matrixFromFlags, resolveMatrixFile } from '../config/load.ts';
import { findProject, type Project } from '../config/project.ts';
import type { Matrix } from '../config/suite.ts';
import type { Cell } from '../matrix/cell.ts';
import { expandCells } from '../matrix/expand.ts';
import { filterCells } from '../matrix/filter.ts';
import { parseShard, shardOf } from '../matrix/shard.ts';
import { bundled } from './package.ts';

/** The options that choose cells. */
export interface CellOptions {
  readonly arch?: string[];
  readonly target?: string[];
  readonly suite?: string[];
  readonly only?: string[];
  readonly shard?: string;
  readonly durations?: string;
  readonly json?: boolean;
}

/** The cells that a command line means. @throws ConfigError when it means none. */
export async function chooseCells(
  named: string | undefined,
  options: CellOptions,
  cwd: string = process.cwd(),
): Promise<{ project: Project; matrix: Matrix; cells: Cell[] }> {
  const project = await findProject(cwd);
  const matrix =
    named === undefined
      ? await matrixFromFlags(options, project, { cwd, bundledSuites: bundled.suites })
      : await loadMatrix(await resolveMatrixFile(named, project, { cwd, bundled: bundled.matrices }), cwd);
  const suites = await loadSuites(matrix, [project.suites, bundled.suites], cwd);
  const cells = filterCells(expandCells(matrix, suites), options);
  return { project, matrix, cells: options.shard === undefined ? cells : await inShard(cells, options.shard, options) };
}

async function inShard(cells: readonly Cell[], text: string, { durations }: CellOptions): Promise<Cell[]> {
  const shard = parseShard(text);
  const chosen = shardOf(cells, shard, durations === undefined ? new Map() : await durationsIn(durations));
  if (chosen.length > 0) return chosen;
  throw new ConfigError(`shard ${text} has no cell: there are only ${cells.length}`, {
    hint: 'Ask for as many shards as there are cells, or fewer.',
  });
}

const recorded = z.object({ cells: z.array(z.object({ name: z.string(), durationMs: z.number().min(0) })) });

/** How long each cell took in an earlier run, in milliseconds. */
async function durationsIn(file: string): Promise<ReadonlyMap<string, number>> {
  try {
    const { cells } = recorded.parse(JSON.parse(await readFile(file, 'utf8')));
    return new Map(cells.map(({ name, durationMs }) => [name, durationMs]));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new ConfigError(`cannot read --durations ${file}: ${why}`, {
      cause,
      hint: 'It is the results.json of an earlier run.',
    });
  }
}
