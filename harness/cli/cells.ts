import { loadMatrix, loadSuites, matrixFromFlags, resolveMatrixFile } from '../config/load.ts';
import { findProject, type Project } from '../config/project.ts';
import type { Matrix } from '../config/suite.ts';
import type { Cell } from '../matrix/cell.ts';
import { expandCells } from '../matrix/expand.ts';
import { filterCells } from '../matrix/filter.ts';
import { bundled } from './package.ts';

/** The options that choose cells. */
export interface CellOptions {
  readonly arch?: string[];
  readonly target?: string[];
  readonly suite?: string[];
  readonly only?: string[];
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
  return { project, matrix, cells: filterCells(expandCells(matrix, suites), options) };
}
