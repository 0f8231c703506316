import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { formatBytes, lastLines } from '../../base/text.ts';
import { removeDeadBuilds } from '../../images/cache.ts';
import { collectGarbage } from '../../run/schedule/lease.ts';
import type { CliCommand } from '../command.ts';
import { plural } from '../terminal/plain.ts';

/**
 * `harness gc`: removes leftovers of killed runs and image builds, and targets kept by --keep, but nothing of a running
 * run.
 */
async function gc(options: { readonly dryRun?: boolean; readonly json?: boolean }): Promise<number> {
  const runs = await collectGarbage(stateFolder(), { includeKept: true, dryRun: options.dryRun === true });
  const builds = await removeDeadBuilds(cacheFolder(), options);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ runs, builds }, null, 2)}\n`);
    return 0;
  }
  const verb = options.dryRun ? 'would remove' : 'removed';
  for (const { run, state, processes, paths, elsewhere, failed } of runs) {
    const counted = processes.length === 1 ? '1 process' : `${processes.length} processes`;
    if (state === 'running') process.stdout.write(`${run}: is running, not touched\n`);
    else
      process.stdout.write(
        [
          `${run}: ${verb} ${counted}, ${plural(paths.length, 'path')}, ${plural(elsewhere.length, 'resource')} elsewhere`,
          ...processes,
          ...paths,
          ...elsewhere,
          ...failed.map((why) => `kept for the next gc: ${lastLines(why, 1)[0] ?? why}`),
        ]
          .join('\n  ')
          .concat('\n'),
      );
  }
  for (const folder of builds.folders) process.stdout.write(`${verb} ${folder}, left by a killed image build\n`);
  if (builds.folders.length > 0) process.stdout.write(`${verb} ${formatBytes(builds.bytes)} of such builds\n`);
  if (runs.length === 0 && builds.folders.length === 0) process.stdout.write('nothing to remove\n');
  return runs.some(({ failed }) => failed.length > 0) ? 3 : 0;
}

export const gcCommand: CliCommand = {
  name: 'gc',
  declare: (command) =>
    command
      .description('remove kept targets, and every process, socket and overlay that killed runs left')
      .option('--dry-run', 'only show what would be removed')
      .option('--json', 'print one JSON document on stdout'),
  act: gc,
};
