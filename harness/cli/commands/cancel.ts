import { basename } from 'node:path';
import { InfraError } from '../../base/errors.ts';
import { stateFolder } from '../../base/folders.ts';
import { retryUntil } from '../../base/time.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import { askToCancel, attach } from '../../fleet/run.ts';
import type { CliCommand } from '../command.ts';
import { reportsOf } from '../reports-of.ts';
import { watched } from '../watched.ts';
import { engineRunOf, hasController } from './attach.ts';

/** Milliseconds for another harness to end a run. */
const OTHER_MS = 180_000;

/** `harness cancel [run]`: ends a run on an engine, by its harness where there is one. */
async function cancelRun(named: string): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = await engineRunOf(named, root);
  const name = basename(folder);
  if (await hasController(folder)) {
    await askToCancel(folder);
    process.stderr.write(`asked the harness that has ${name} to end it\n`);
    await retryUntil(
      async () => {
        if (await hasController(folder))
          throw new InfraError(`cannot cancel ${name}: the harness that has it does not end`, {
            hint: 'Is it on another machine, and stopped? End it there, then: harness cancel',
          });
      },
      { deadlineMs: OTHER_MS, everyMs: 500 },
    );
    return 0;
  }
  const { matrix } = await loadRun(folder);
  const about = { project: root, matrix: matrix.name, streams: false, which: reportsOf({}), onResult: () => {} };
  await watched({ quiet: true }, about, (watching) =>
    attach(folder, {
      ...{ ...watching, interrupt: AbortSignal.abort(), state: stateFolder(), argv: process.argv.slice(2) },
    }),
  );
  return 0;
}

export const cancelCommand: CliCommand = {
  name: 'cancel',
  declare: (command) =>
    command
      .description('end a run on an engine, wherever its harness is: its jobs, and then the run with what it has')
      .argument('[run]', 'the name of a run, or its folder', 'latest'),
  act: cancelRun,
};
