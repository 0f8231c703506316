import { join } from 'node:path';
import { execa } from 'execa';
import { ConfigError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { findProject } from '../../config/load/project.ts';
import type { CliCommand } from '../command.ts';
import { runFolderOf } from '../run-of.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The program that opens a file in the user's preferred application; undefined without a display. */
export function openerOf(env: Env, platform: NodeJS.Platform): string | undefined {
  if (env['WSL_DISTRO_NAME']) return 'wslview';
  if (platform === 'darwin') return 'open';
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? 'xdg-open' : undefined;
}

/** `harness open [run]`: opens the page of a run in a browser, or prints its path without one. */
async function openReport(name: string): Promise<number> {
  const { root } = await findProject(process.cwd());
  const page = join(await runFolderOf(name, root), 'index.html');
  if (!(await exists(page)))
    throw new ConfigError(`cannot open the report of ${name}: ${page} is not there`, {
      hint: `harness report ${name}`,
    });
  const opener = openerOf(process.env, process.platform);
  const opened = opener !== undefined && !(await execa(opener, [page], { reject: false, stdio: 'ignore' })).failed;
  process.stdout.write(opened ? `opened ${page}\n` : `${page}\n`);
  return 0;
}

export const openCommand: CliCommand = {
  name: 'open',
  declare: (command) =>
    command
      .description("open a run's page in a browser; without one, print its path")
      .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest'),
  act: openReport,
};
