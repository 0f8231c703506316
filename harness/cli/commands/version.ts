import { version as ours } from '../../base/package.ts';
import type { CliCommand } from '../command.ts';

/** `harness version` */
async function version(): Promise<number> {
  process.stdout.write(`${ours}\n`);
  return 0;
}

export const versionCommand: CliCommand = {
  name: 'version',
  declare: (command) => command.description('print the version'),
  act: version,
};
