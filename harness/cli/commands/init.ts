import { resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { initProject } from '../../scaffold/init.ts';
import { commandStarter } from '../../scaffold/starter-command.ts';
import { composeStarter } from '../../scaffold/starter-compose.ts';

interface Options {
  readonly command?: string;
  readonly compose?: string;
}

/** `harness init [folder]` */
export async function init(folder: string, { command, compose }: Options): Promise<number> {
  if (command !== undefined && compose !== undefined)
    throw new ConfigError('--command and --compose are two beginnings: only one of them is possible');
  if (command?.trim() === '')
    throw new ConfigError('--command is empty', { hint: 'harness init --command "make check"' });
  const stack = compose === undefined ? undefined : await composeStarter(compose, process.cwd());
  const starter = command === undefined ? stack?.templates : commandStarter(command);
  for (const { path, state } of await initProject(resolve(folder), starter)) process.stdout.write(`${state} ${path}\n`);
  if (stack && stack.unknown.length > 0)
    process.stdout.write(
      `\nfill in the packages and the command of ${stack.unknown.join(', ')} in suites/stack/suite.yaml, then\n`,
    );
  process.stdout.write('\nnext: npx harness run\n');
  return 0;
}
