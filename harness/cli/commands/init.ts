import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError, messageOf } from '../../base/errors.ts';
import { installable, PACKAGE_NAME } from '../../base/package.ts';
import { findProject, listMatrices } from '../../config/load/project.ts';
import { planCells } from '../../matrix/plan.ts';
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
  const name = basename(written[0]!.path, '.yaml');
  const refused = await refusal(name, place);
  if (refused !== undefined) out(`\nmend this first: ${refused}`);
  const install = (await hasPackage(place)) ? '' : `${INSTALL} && `;
  out(`\nnext: ${install}npx harness run${matrices.length > 1 ? ` ${name}` : ''}`);
  if (starter === undefined && place === process.cwd())
    for (const start of await startsFrom(place)) out(`or, from what is here: npx harness init ${start}`);
  return 0;
}

/** For a project without this package, where `npx harness` would run whatever has that name on npm. */
const INSTALL = `npm install --save-dev ${installable}`;

/** Whether a folder's package.json, or one above it, names this package. */
async function hasPackage(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
  if (text.includes(`"${PACKAGE_NAME}"`)) return true;
  return dirname(folder) !== folder && hasPackage(dirname(folder));
}

/** Why a run would refuse what was written, such as a file beside a Compose file that it names; undefined if it would not. */
async function refusal(matrix: string, folder: string): Promise<string | undefined> {
  return planCells(matrix, {}, folder).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
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
