import { relative } from 'node:path';
import { renderResultsJson, renderSummary, writeJobSummary, writeReports } from '../../../reports/index.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import { afterRun } from '../after-run.ts';
import type { CliCommand } from '../command.ts';
import { reportOption } from '../options.ts';
import { placeOf, type ReportFlags, reportsOf } from '../reports-of.ts';
import { runFolderOf } from '../run-of.ts';

interface Options {
  readonly json?: boolean;
  /** Append the summary of the CI's job. */
  readonly summary?: boolean;
  readonly pageUrl?: string;
}

/** `harness report [run]`: replays the events into reports, even for a run that was killed. */
async function report(name: string, options: ReportFlags & Options): Promise<number> {
  const which = reportsOf(options);
  const { root } = await findProject(process.cwd());
  const folder = await runFolderOf(name, root);
  const result = await loadRun(folder);
  let files: string[] = [];
  const written = await afterRun(async () => {
    files = await writeReports(result, folder, which, await placeOf(root, result, folder));
  });
  if (options.summary) await afterRun(() => writeJobSummary(renderSummary(result, { pageUrl: options.pageUrl })));
  if (options.json) process.stdout.write(renderResultsJson(result));
  else for (const file of files) process.stdout.write(`${relative(process.cwd(), file)}\n`);
  // For a command that writes reports, a failure to write them is not success.
  return result.exitCode === 0 && !written ? 3 : result.exitCode;
}

export const reportCommand: CliCommand = {
  name: 'report',
  declare: (command) =>
    reportOption(command)
      .description("rewrite a run's reports from its events")
      .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
      .option('--json', 'print results.json on stdout')
      .option('--summary', 'append the summary of a GitHub job')
      .option('--page-url <url>', 'with --summary: the address of the page')
      .addHelpText('after', '\nExamples:\n  harness report\n  harness report latest --report junit-non-voting,csv'),
  act: report,
};
