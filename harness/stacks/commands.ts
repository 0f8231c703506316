import type { Suite } from '../config/suite.ts';
import type { Target } from '../targets/target.ts';
import type { Deployer, DeployOptions } from './deployer.ts';
import { awaitCheck, nameOfCheck } from './ready.ts';
import { runCommand } from './run-command.ts';

type Step = Suite['stack']['commands'][number];

/** What a suite says in its own words: commands and conditions, in order, once its images are there. */
export const commands: Deployer = {
  name: 'commands',
  uses: ({ stack }) => stack.commands.length > 0,
  // How long they may take, and how they are called, changes nothing on the machine.
  ingredients: ({ stack }) => ({ commands: stack.commands.flatMap((step) => ('run' in step ? [step.run] : [])) }),
  up: ({ nodes, suite, options }) => {
    const { phase } = options;
    return async (node) => {
      const of = nodes.length > 1 ? `${node.name}: ` : '';
      for (const step of suite.stack.commands) {
        const begun = performance.now();
        await take(node.target, step, suite, options);
        phase({ name: `${of}${nameOf(step)}`, durationMs: Math.round(performance.now() - begun) });
      }
    };
  },
};

/** How a step of a deployment is called in reports. */
function nameOf(step: Step): string {
  if ('await' in step) return nameOfCheck(step.await);
  const { name, run } = step;
  return name ?? (typeof run === 'string' ? run : run.join(' ')).split('\n')[0]!.slice(0, 80);
}

async function take(target: Target, step: Step, suite: Suite, options: DeployOptions): Promise<void> {
  if ('run' in step)
    return runCommand(target, step.run, suite, options, {
      ...(step.name === undefined ? {} : { shown: step.name }),
      ...(step.seconds === undefined ? {} : { seconds: step.seconds }),
    });
  options.progress(`waiting for ${nameOf(step)}`);
  await awaitCheck(target, suite, step.await, options.scale, options.signal);
}
