import { ConfigError, HarnessError, InfraError, StackError } from '../base/errors.ts';
import { printable } from '../base/text.ts';

/**
 * Prints an error on stderr: the message, the reasons behind it, the end of the console, the next step.
 * @returns the exit code that it stands for.
 */
export function reportFailure(error: unknown): number {
  const lines: string[] = [];
  if (error instanceof HarnessError) {
    lines.push(`error: ${error.message}`);
    for (let cause = error.cause; cause instanceof Error && lines.length < 6; cause = cause.cause) {
      if (!error.message.includes(cause.message)) lines.push(`reason: ${cause.message}`);
    }
    const tail = error instanceof InfraError || error instanceof StackError ? error.consoleTail : [];
    if (tail.length > 0) lines.push('console:', ...tail.map((line) => `  ${line}`));
    if (error.hint) lines.push(`next: ${error.hint}`);
  } else {
    lines.push(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    lines.push('This is a fault of the harness. Please report it with the lines above.');
  }
  process.stderr.write(
    `${lines
      .flatMap((line) => line.split('\n'))
      .map(printable)
      .join('\n')}\n`,
  );
  if (error instanceof ConfigError) return 2;
  return error instanceof InfraError ? 3 : 1;
}
