import { exporters } from '../../reports/exports.ts';
import { findProject } from '../config/project.ts';
import { loadRun } from '../events/load-run.ts';
import { findRun } from '../run/run.ts';

/** The formats that there are. */
export const exportFormats = Object.keys(exporters);

/** `harness export [run] --format NAME`: a run's benchmarks, as another tool reads them. */
export async function exportRun(name: string, options: { readonly format: keyof typeof exporters }): Promise<number> {
  const folder = await findRun((await findProject(process.cwd())).root, name);
  process.stdout.write(exporters[options.format](await loadRun(folder)));
  return 0;
}
