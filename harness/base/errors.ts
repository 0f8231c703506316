import { isNativeError, readThrown } from './thrown.ts';

/** Optional fields of an error beside its message. */
export interface ErrorAdvice {
  /** The next step to take, one sentence or one command line. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The base class of the errors that the harness raises on purpose. The message has the form
 * `cannot <verb> <object>: <cause>`; the top level prints it, the chain of causes and the hint.
 */
export class HarnessError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, advice: ErrorAdvice = {}) {
    super(message, advice.cause === undefined ? undefined : { cause: advice.cause });
    this.name = new.target.name;
    this.hint = advice.hint;
  }
}

/** The user's input is wrong: nothing was started. Exit code 2. */
export class ConfigError extends HarnessError {}

/** The target cannot do what the suite needs; decided before anything boots. */
export class UnsupportedError extends HarnessError {}

/** Image, boot, network, disk or host: not the suite's fault. Exit code 3. */
export class InfraError extends HarnessError {
  /** The last lines of the target's console, oldest first, when there is one. */
  readonly consoleTail: readonly string[];
  /** Whether the only problem is a missed deadline. */
  readonly late: boolean;
  constructor(
    message: string,
    advice: ErrorAdvice & { readonly consoleTail?: readonly string[]; readonly late?: boolean } = {},
  ) {
    super(message, advice);
    this.consoleTail = advice.consoleTail ?? [];
    this.late = advice.late ?? false;
  }
}

/** The emulator itself failed: QEMU died or reported an uncaught target signal. Exit code 3. */
export class EmulatorError extends InfraError {}

/** A deployment step of the stack failed because of the suite: a command, a readiness check. */
export class StackError extends HarnessError {
  readonly consoleTail: readonly string[];
  constructor(message: string, advice: ErrorAdvice & { readonly consoleTail?: readonly string[] } = {}) {
    super(message, advice);
    this.consoleTail = advice.consoleTail ?? [];
  }
}

/** The suite itself cannot continue: a file that cannot be read, a test that hangs its process. */
export class SuiteError extends HarnessError {}

/** The message of any thrown value; an inspection if it has none. */
export function messageOf(error: unknown): string {
  return readThrown(error).message;
}

/** Whether an error means that something missed its deadline. */
export function isLate(error: unknown): boolean {
  return isNativeError(error) && error instanceof InfraError && error.late;
}
