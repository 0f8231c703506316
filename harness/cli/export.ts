import { join } from 'node:path';
import { exporters } from '../../reports/exports.ts';
import { findProject } from '../config/project.ts';
import { foldEvents } from '../events/fold.ts';
import { readEvents } from '../events/reader.ts';
import { findRun } from '../run/run.ts';

/** The formats that there are. */
export const exportFormats = Object.keys(exporters);

/** `harness export [run] --format NAME`: a run's benchmarks, as another tool reads them. */
export async function exportRun(name: string, options: { readonly format: keyof typeof exporters }): Promise<number> {
  const folder = await findRun((await findProject(process.cwd())).root, name);
  const { events } = await readEvents(join(folder, 'events.jsonl'));
  process.stdout.write(exporters[options.format](foldEvents(events)));
  return 0;
}
