import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import { isAlive } from '../../base/process.ts';
import { findProject } from '../../config/load/project.ts';
import type { CliCommand } from '../command.ts';
import { PAUSED_FILE, RESUME_SIGNAL } from '../pauser.ts';
import { runFolderOf } from '../run-of.ts';

const paused = z.object({ pid: z.int(), startTime: z.string(), cell: z.string() });

/** `harness resume [run]`: resumes a run that `--pause` has stopped. */
async function resume(run: string): Promise<number> {
  const { root } = await findProject(process.cwd());
  const folder = await realpath(await runFolderOf(run, root));
  const text = await readFile(join(folder, PAUSED_FILE), 'utf8').catch(() => undefined);
  const found = text === undefined ? undefined : paused.safeParse(JSON.parse(text)).data;
  if (!found || !isAlive(found))
    throw new ConfigError(`${basename(folder)} has not stopped: there is nothing to tell it`, {
      hint: 'A run stops with --pause. One that was killed goes on with: harness run --resume RUN',
    });
  process.kill(found.pid, RESUME_SIGNAL);
  process.stdout.write(`${basename(folder)} goes on: ${found.cell}\n`);
  return 0;
}

export const resumeCommand: CliCommand = {
  name: 'resume',
  declare: (command) =>
    command
      .description('resume a run that --pause has stopped')
      .argument('[run]', 'the name of a run, or its folder', 'latest'),
  act: resume,
};
