import { relative } from 'node:path';
import { renderResultsJson, writeReports } from '../../reports/index.ts';
import { findProject } from '../config/project.ts';
import { loadRun } from '../events/load-run.ts';
import { findRun } from '../run/run.ts';

/** `harness report [run]`: the reports are replays of the events, also of a run that was killed. */
export async function report(name: string, options: { readonly json?: boolean }): Promise<number> {
  const project = await findProject(process.cwd());
  const folder = await findRun(project.root, name);
  const result = await loadRun(folder);
  const files = await writeReports(result, folder);
  if (options.json) process.stdout.write(renderResultsJson(result));
  else for (const file of files) process.stdout.write(`${relative(process.cwd(), file)}\n`);
  return result.exitCode;
}
