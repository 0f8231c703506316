import { sep } from 'node:path';
import type { Suite } from '../config/suite.ts';
import type { ErrorData } from '../events/types.ts';
import { fileInSuite } from './context.ts';

/** What vitest tells of an error that a test threw: to its reporters, and to the test itself, where `stacks` is absent. */
export interface ThrownError {
  readonly name?: string;
  readonly message: string;
  readonly stack?: string;
  readonly diff?: string;
  readonly hint?: unknown;
  readonly cause?: unknown;
  readonly consoleTail?: unknown;
  readonly stacks?: readonly { readonly file: string; readonly line: number; readonly column: number }[];
}

/** An assertion is the suite's word; a lost connection or a dead emulator is not. */
export function verdictOf(errors: readonly ErrorData[]): 'failed' | 'infra' | 'emulator' {
  if (errors.some((error) => error.type === 'EmulatorError')) return 'emulator';
  return errors.length > 0 && errors.every((error) => error.type === 'InfraError') ? 'infra' : 'failed';
}

/** An error with its place in the suite, or elsewhere where the suite is not on the way to it. */
export function errorData(error: ThrownError, suite: Pick<Suite, 'folder'>): ErrorData {
  const place = error.stacks?.find((frame) => frame.file.startsWith(suite.folder + sep)) ?? error.stacks?.[0];
  const causes: string[] = [];
  for (
    let cause = error.cause as ThrownError | undefined;
    cause && causes.length < 5;
    cause = cause.cause as ThrownError | undefined
  ) {
    causes.push(typeof cause === 'string' ? cause : String(cause.message ?? cause));
  }
  return {
    type: error.name ?? 'Error',
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.diff === undefined ? {} : { diff: error.diff }),
    ...(typeof error.hint === 'string' ? { hint: error.hint } : {}),
    ...(place ? { file: fileInSuite(suite, place.file), line: place.line, column: place.column } : {}),
    ...(causes.length > 0 ? { causes } : {}),
    ...(Array.isArray(error.consoleTail) ? { consoleTail: error.consoleTail.map(String) } : {}),
  };
}
