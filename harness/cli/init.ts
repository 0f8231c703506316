import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { initProject } from '../config/init.ts';
import { commandStarter } from '../config/starter-command.ts';

interface Options {
  readonly command?: string;
}

/** `harness init [folder]` */
export async function init(folder: string, { command }: Options): Promise<number> {
  if (command?.trim() === '')
    throw new ConfigError('--command is empty', { hint: 'harness init --command "make check"' });
  const starter = command === undefined ? undefined : commandStarter(command);
  for (const { path, state } of await initProject(resolve(folder), starter)) process.stdout.write(`${state} ${path}\n`);
  process.stdout.write('\nnext: npx harness run\n');
  return 0;
}
