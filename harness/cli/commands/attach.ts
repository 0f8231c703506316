import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { renderResultsJson } from '../../../reports/index.ts';
import { ConfigError } from '../../base/errors.ts';
import { stateFolder } from '../../base/folders.ts';
import { tryLock } from '../../base/lock.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import type { StoredEvent } from '../../events/types.ts';
import { Ledger } from '../../fleet/ledger.ts';
import { PartTail } from '../../fleet/part.ts';
import { attach } from '../../fleet/run.ts';
import { isRunActive } from '../../run/schedule/lease.ts';
import type { CliCommand } from '../command.ts';
import { displayOptions, reportOption } from '../options.ts';
import { type ReportFlags, reportsOf } from '../reports-of.ts';
import { runFolderOf } from '../run-of.ts';
import { type Watching, type WatchOptions, watched } from '../watched.ts';

/** Milliseconds between two looks at a run that another harness has. */
const LOOK_MS = 500;

/** `harness attach [run]`: goes on with a run on an engine, or watches it while another harness has it. */
export async function attachRun(named: string, options: WatchOptions & ReportFlags): Promise<number> {
  const which = reportsOf(options);
  const { root } = await findProject(process.cwd());
  const folder = await engineRunOf(named, root);
  const { matrix } = await loadRun(folder);
  const about = {
    ...{ project: root, matrix: matrix.name, streams: false, which },
    onResult: (result: Parameters<typeof renderResultsJson>[0]) => {
      if (options.json) process.stdout.write(renderResultsJson(result));
    },
  };
  const another = await hasController(folder);
  const { goesOn } = await Ledger.open(folder);
  return watched(options, about, async (watching) => {
    if (another) return follow(folder, watching);
    if (!goesOn) return ended(folder, watching);
    const argv = process.argv.slice(2);
    return (await attach(folder, { ...watching, state: stateFolder(), argv })).exitCode;
  });
}

/** The folder of a run on an engine. @throws ConfigError for any other. */
export async function engineRunOf(named: string, root: string): Promise<string> {
  // `latest` is a link, and a run's folder has the name of the run.
  const folder = await realpath(await runFolderOf(named, root));
  const { opened } = await Ledger.open(folder);
  if (!opened)
    throw new ConfigError(`cannot attach to ${named}: its cells ran on this machine, and on no engine`, {
      hint: `Go on with it: harness run --resume ${named}`,
    });
  return folder;
}

/** Whether a harness has a run now: on this machine, or on another that shares the folder. */
export async function hasController(folder: string): Promise<boolean> {
  const lock = await tryLock(join(folder, 'lock'));
  if (lock === undefined) return true;
  await lock[Symbol.asyncDispose]();
  return isRunActive(stateFolder(), folder.slice(folder.lastIndexOf('/') + 1));
}

/** What a run that has ended came to; it may have been killed before its reports. */
async function ended(folder: string, { onEnd }: Watching): Promise<number> {
  await onEnd(folder);
  return (await loadRun(folder)).exitCode;
}

/** Shows a run that another harness has, a cell when it has a result, until it ends; whoever interrupts just looks away. */
async function follow(folder: string, { interrupt, onEvent, onEnd }: Watching): Promise<number> {
  const tail = new PartTail(folder);
  let last: StoredEvent | undefined;
  for (;;) {
    const events = await tail.more();
    for (const event of events) onEvent(event);
    last = events.at(-1) ?? last;
    if (events.length > 0) continue;
    if (last?.type === 'run.finished' || interrupt.aborted || !(await hasController(folder))) break;
    await delay(LOOK_MS, undefined, { signal: interrupt }).catch(() => {});
  }
  if (interrupt.aborted) return 130;
  if (last?.type !== 'run.finished')
    throw new ConfigError('the harness that had the run is gone', { hint: 'Go on with it: harness attach' });
  await onEnd(folder);
  return (await loadRun(folder)).exitCode;
}

export const attachCommand: CliCommand = {
  name: 'attach',
  byCells: true,
  declare: (command) =>
    displayOptions(reportOption(command))
      .description('go on with a run on an engine whose harness is gone, or watch one that goes on')
      .argument('[run]', 'the name of a run, or its folder', 'latest')
      .option('--no-summary', 'leave the summary of a GitHub job to `harness report --summary`')
      .option('--json', 'print one JSON document on stdout, and no progress')
      .addHelpText('after', '\nExamples:\n  harness attach\n  harness attach 20261120-214512-3f9a'),
  act: attachRun,
};
