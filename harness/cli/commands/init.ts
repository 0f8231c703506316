import { basename, resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { findProject, listMatrices } from '../../config/load/project.ts';
import { initProject } from '../../scaffold/init.ts';
import { commandStarter } from '../../scaffold/starter-command.ts';
import { composeStarter } from '../../scaffold/starter-compose.ts';
import { startsFrom } from '../../scaffold/starts.ts';
import type { CliCommand } from '../command.ts';

interface Options {
  readonly command?: string;
  readonly compose?: string;
}

/** `harness init [folder]` */
async function init(folder: string, { command, compose }: Options): Promise<number> {
  if (command !== undefined && compose !== undefined)
    throw new ConfigError('--command and --compose are two beginnings: only one of them is possible');
  if (command?.trim() === '')
    throw new ConfigError('--command is empty', { hint: 'harness init --command "make check"' });
  const out = (line: string) => process.stdout.write(`${line}\n`);
  const place = resolve(folder);
  const stack = compose === undefined ? undefined : await composeStarter(compose, process.cwd());
  const starter = command === undefined ? stack?.templates : commandStarter(command);
  const written = await initProject(place, starter);
  for (const { path, state } of written) out(`${state} ${path}`);
  if (stack && stack.unknown.length > 0)
    out(`\nfill in the packages and the command of ${stack.unknown.join(', ')} in suites/stack/suite.yaml, then`);
  // `harness run` alone runs the only matrix.
  const matrices = await listMatrices((await findProject(place)).matrices);
  const matrix = matrices.length > 1 ? ` ${basename(written[0]!.path, '.yaml')}` : '';
  out(`\nnext: npx harness run${matrix}`);
  if (starter === undefined && place === process.cwd())
    for (const start of await startsFrom(place)) out(`or, from what is here: npx harness init ${start}`);
  return 0;
}

export const initCommand: CliCommand = {
  name: 'init',
  declare: (command) =>
    command
      .description('write a first matrix and a suite that pass, and the files around them; overwrites nothing')
      .argument('[folder]', 'folder to write to', '.')
      .option(
        '--command <command>',
        'write a suite that runs this command in a copy of the project, such as "make check"',
      )
      .option('--compose <file>', 'write a suite that deploys this Compose file')
      .addHelpText(
        'after',
        '\nExamples:\n  harness init\n  harness init --command "make check"\n  harness init --compose compose.yaml',
      ),
  act: init,
};
