import { InfraError } from '../base/errors.ts';
import { run } from '../base/process.ts';

/** Runs a command of an engine's. @returns what it prints. @throws InfraError with what it said, and the hint. */
export type EngineCommand = (argv: readonly string[], purpose: string) => Promise<string>;

/**
 * How the commands of an engine are run.
 * @param timeoutMs milliseconds that one may take.
 * @param hint what to do when one fails: usually what to ask the engine oneself.
 */
export function engineCommand(timeoutMs: number, hint: string): EngineCommand {
  return async (argv, purpose) => {
    const { stdout } = await run(argv, { purpose, timeout: timeoutMs }).catch((error: unknown) => {
      if (!(error instanceof InfraError)) throw error;
      throw new InfraError(error.message, { cause: error.cause, hint });
    });
    return String(stdout);
  };
}
