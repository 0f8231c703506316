import { StackError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import { scaledMs } from '../base/time.ts';
import type { Suite } from '../config/suite.ts';
import { containerPath } from '../images/build.ts';
import type { Target } from '../targets/target.ts';
import { argvOf, awaitReady } from './ready.ts';

export interface DeployOptions {
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/**
 * Brings a stack of Debian packages up on a target whose image holds its packages and files: awaits its services, runs
 * its commands in order, awaits its readiness checks.
 * @throws StackError naming what did not come up and why.
 */
export async function deployStack(target: Target, suite: Suite, options: DeployOptions): Promise<void> {
  const { stack, timeouts } = suite;
  const deadlineMs = scaledMs(timeouts.command, options.scale);
  if (stack.services.length > 0) {
    options.progress(`waiting for ${stack.services.join(', ')}`);
    await awaitServices(target, stack.services, scaledMs(timeouts.boot, options.scale), options.signal);
  }
  const loads = stack.images.map((_, index) => ['docker', 'load', '--quiet', '--input', containerPath(index)]);
  for (const command of [...loads, ...stack.commands]) {
    const argv = argvOf(command);
    const shown = typeof command === 'string' ? command : argv.join(' ');
    options.progress(shown.slice(0, 80));
    const result = await target.exec(argv, { deadlineMs, signal: options.signal });
    if (result.exitCode !== 0) {
      throw new StackError(`cannot deploy the stack: \`${shown.slice(0, 200)}\` exited with ${result.exitCode}`, {
        cause: lastLines(`${result.stdout}\n${result.stderr}`, 15).join('\n'),
        consoleTail: await target.consoleTail(20),
      });
    }
  }
  options.progress('waiting until it is ready');
  await awaitReady(target, suite, options.scale, options.signal);
}

/** `systemctl start` of a unit that is starting waits for it, and starts one that nothing pulled in. */
async function awaitServices(
  target: Target,
  services: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<void> {
  const started = await target.exec(['systemctl', 'start', ...services], { deadlineMs, signal });
  if (started.exitCode === 0) return;
  const journal = await target.exec(
    ['journalctl', '--no-pager', '--lines=30', ...services.map((service) => `--unit=${service}`)],
    { deadlineMs, signal },
  );
  throw new StackError(`cannot start ${services.join(', ')}: ${lastLines(started.stderr, 1).join('')}`, {
    cause: lastLines(journal.stdout, 30).join('\n'),
    consoleTail: await target.consoleTail(20),
  });
}
