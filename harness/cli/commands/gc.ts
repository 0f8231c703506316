import { ConfigError } from '../../base/errors.ts';
import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { formatBytes, lastLines } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { engineOf } from '../../fleet/run.ts';
import { sweepShared } from '../../fleet/sweep.ts';
import { removeDeadBuilds } from '../../images/cache.ts';
import { collectGarbage } from '../../run/schedule/lease.ts';
import type { CliCommand } from '../command.ts';
import { engineNamed } from '../on.ts';
import { count } from '../options.ts';
import { plural } from '../terminal/plain.ts';

interface GcOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
  /** The engine whose folder is meant. */
  readonly on?: string;
  readonly days?: number;
}

/** Days after which nobody looks for a run's parts any more. */
const USUAL_DAYS = 14;

/**
 * `harness gc`: removes leftovers of killed runs and image builds, and targets kept by --keep, but nothing of a running
 * run.
 */
async function gc(options: GcOptions): Promise<number> {
  if (options.on !== undefined) return gcOn(options.on, options);
  if (options.days !== undefined) throw new ConfigError('--days is about the folder of an engine, and --on names none');
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

/** `harness gc --on ENGINE`: removes old runs and working trees from its folder. */
async function gcOn(name: string, { dryRun = false, days = USUAL_DAYS, json }: GcOptions): Promise<number> {
  const config = await engineNamed(await findProject(process.cwd()), name);
  const swept = await sweepShared(config.shared, engineOf(config), { days, dryRun });
  const { folders, alive, failed } = swept;
  if (json) process.stdout.write(`${JSON.stringify(swept, null, 2)}\n`);
  else {
    for (const folder of folders) process.stdout.write(`${dryRun ? 'would remove' : 'removed'} ${folder}\n`);
    for (const run of alive) process.stdout.write(`${run}: its jobs are alive, not touched\n`);
    for (const why of failed) process.stdout.write(`${why}\n`);
    if (folders.length + alive.length + failed.length === 0)
      process.stdout.write(`nothing in ${config.shared} is older than ${plural(days, 'day')}\n`);
  }
  return failed.length > 0 ? 3 : 0;
}

export const gcCommand: CliCommand = {
  name: 'gc',
  declare: (command) =>
    command
      .description('remove kept targets, and every process, socket and overlay that killed runs left')
      .option(
        '--on <engine>',
        'instead: remove old runs and working trees from the folder of an engine of machines.yaml',
      )
      .option('--days <n>', `with --on: what is older than n days; default: ${USUAL_DAYS}`, count)
      .option('--dry-run', 'only show what would be removed')
      .option('--json', 'print one JSON document on stdout'),
  act: gc,
};
