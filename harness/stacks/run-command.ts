import { StackError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import { scaledMs } from '../base/time.ts';
import type { Suite } from '../config/suite.ts';
import type { Target } from '../targets/target.ts';
import type { DeployOptions } from './deployer.ts';
import { argvOf } from './ready.ts';

/** Runs a command of a stack on a machine, within the suite's `timeouts.command`. @throws StackError when it fails. */
export async function runCommand(
  target: Target,
  command: string | readonly string[],
  { timeouts }: Suite,
  { scale, signal, progress }: DeployOptions,
  given: { readonly shown?: string; readonly stdin?: Uint8Array } = {},
): Promise<void> {
  const argv = argvOf(command);
  const { shown = typeof command === 'string' ? command : argv.join(' '), stdin } = given;
  progress(shown.slice(0, 80));
  const deadlineMs = scaledMs(timeouts.command, scale);
  const result = await target.exec(argv, { deadlineMs, signal, ...(stdin ? { stdin } : {}) });
  if (result.exitCode !== 0) {
    throw new StackError(`cannot deploy the stack: \`${shown.slice(0, 200)}\` exited with ${result.exitCode}`, {
      cause: lastLines(`${result.stdout}\n${result.stderr}`, 15).join('\n'),
      consoleTail: await target.consoleTail(20),
    });
  }
}
