import type { Deployer } from './deployer.ts';
import { runCommand } from './run-command.ts';

/** What a suite says in its own words: commands, run in order once its images are there. */
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
