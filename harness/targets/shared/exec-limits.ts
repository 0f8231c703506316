import { InfraError } from '../../base/errors.ts';
import type { ExecOptions } from '../target.ts';

/** Bytes that are kept of each stream of a command. */
export const MAX_OUTPUT = 32 * 2 ** 20;

/** The error of a command that did not end before its deadline, with the end of what it said. */
export function lateError(what: string, { deadlineMs }: Pick<ExecOptions, 'deadlineMs'>, stderr: string): InfraError {
  return new InfraError(`cannot finish \`${what}\`: no end after ${(deadlineMs / 1000).toFixed(1)} s`, {
    cause: stderr.slice(-500) || undefined,
    late: true,
  });
}
