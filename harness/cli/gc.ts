import { stateFolder } from '../base/folders.ts';
import { collectGarbage } from '../run/lease.ts';

/** `harness gc`: what killed runs left, and targets that --keep left. A run that is going on is not touched. */
export async function gc(options: { readonly dryRun?: boolean; readonly json?: boolean }): Promise<number> {
  const runs = await collectGarbage(stateFolder(), { includeKept: true, dryRun: options.dryRun === true });
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ runs }, null, 2)}\n`);
    return 0;
  }
  const verb = options.dryRun ? 'would remove' : 'removed';
  for (const { run, state, processes, paths } of runs) {
    if (state === 'running') process.stdout.write(`${run}: is running, not touched\n`);
    else
      process.stdout.write(
        [`${run}: ${verb} ${processes.length} processes, ${paths.length} paths`, ...processes, ...paths]
          .join('\n  ')
          .concat('\n'),
      );
  }
  if (runs.length === 0) process.stdout.write('nothing to remove\n');
  return 0;
}
