import { StackError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import { scaledMs } from '../base/time.ts';
import type { Suite } from '../config/suite.ts';
import type { Target } from '../targets/target.ts';
import type { DeployOptions } from './deployer.ts';
import { argvOf } from './ready.ts';

/**
 * Runs a command of a stack on a machine.
 * @param given.shown how it is called; default: as it is written.
 * @param given.seconds native seconds that it may take; default: the suite's `timeouts.command`.
 * @throws StackError when it fails.
 */
export async function runCommand(
  target: Target,
  command: string | readonly string[],
  { timeouts }: Suite,
  { scale, signal, progress, output }: DeployOptions,
  given: { readonly shown?: string; readonly stdin?: Uint8Array; readonly seconds?: number } = {},
): Promise<void> {
  const argv = argvOf(command);
  const { shown = typeof command === 'string' ? command : argv.join(' '), stdin } = given;
  progress(shown.slice(0, 80));
  const deadlineMs = scaledMs(given.seconds ?? timeouts.command, scale);
  const onOutput = (chunk: string) => {
    output(chunk);
    const line = lastLines(chunk, 1)[0];
    if (line !== undefined) progress(`${shown.slice(0, 40)}: ${line.slice(0, 120)}`);
  };
  const result = await target.exec(argv, { deadlineMs, signal, onOutput, ...(stdin ? { stdin } : {}) });
  // What it said beside its output comes at its end.
  if (result.stderr !== '') output(result.stderr);
  if (result.exitCode !== 0) {
    throw new StackError(`cannot deploy the stack: \`${shown.slice(0, 200)}\` exited with ${result.exitCode}`, {
      cause: lastLines(`${result.stdout}\n${result.stderr}`, 15).join('\n'),
      consoleTail: await target.consoleTail(20),
    });
  }
}
