import { Option } from 'commander';
import { exportLacks } from '../../../reports/exports.ts';
import { renderReport, reports } from '../../../reports/index.ts';
import { visible } from '../../../reports/text.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import type { CliCommand } from '../command.ts';
import { runFolderOf } from '../run-of.ts';

/** The formats that there are. */
const exportFormats = reports.filter(({ benchmarks }) => benchmarks).map(({ name }) => name);

/** `harness export [run] --format NAME`: a run's benchmarks in another tool's format; exits with 4 if some are missing. */
async function exportRun(name: string, options: { readonly format: string }): Promise<number> {
  const { root } = await findProject(process.cwd());
  const run = await loadRun(await runFolderOf(name, root));
  process.stdout.write(renderReport(options.format, run));
  const lacks = exportLacks(run);
  for (const lack of lacks)
    process.stderr.write(`not exported: ${visible(lack)}
`);
  return lacks.length > 0 ? 4 : 0;
}

export const exportCommand: CliCommand = {
  name: 'export',
  declare: (command) =>
    command
      .description("print a run's benchmarks in another tool's format")
      .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
      .addOption(new Option('--format <name>', 'the format').choices(exportFormats).makeOptionMandatory())
      .addHelpText('after', '\nExamples:\n  harness export --format go\n  harness export latest --format csv'),
  act: exportRun,
};
