import type { Deployer } from './deployer.ts';
import { runCommand } from './run-command.ts';

/** The suite's own commands, run in order once its images are loaded. */
export const commands: Deployer = {
  name: 'commands',
  uses: ({ stack }) => stack.commands.length > 0,
  ingredients: ({ stack }) => ({ commands: stack.commands }),
  up:
    ({ suite, options }) =>
    async ({ target }) => {
      for (const command of suite.stack.commands) await runCommand(target, command, suite, options);
    },
};
