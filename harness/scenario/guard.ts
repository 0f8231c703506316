import { isNativeError, isReadable, propertyOf, readThrown } from '../base/thrown.ts';

/**
 * Runs a suite's code. Errors are converted to ones that vitest can read and send to another process: an error that
 * resists inspection (a proxy, a getter that throws) would end the process instead of the test.
 */
export async function guard<T>(work: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw portable(thrown);
  }
}

/** The same, where only one error can be thrown. */
export async function guardWhole<T>(work: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw isPlain(thrown) ? thrown : standIn(thrown, readThrown(thrown).causes);
  }
}

/** vitest takes an array for several errors. */
function portable(thrown: unknown): unknown {
  const parts = isNativeError(thrown) ? propertyOf(thrown, 'errors') : undefined;
  if (Array.isArray(parts) && parts.length > 0) {
    const whole = propertyOf(thrown, 'message') ? [standIn(thrown, [])] : [];
    return [...whole, ...parts.map((part) => (isPlain(part) ? part : standIn(part, readThrown(part).causes)))];
  }
  return isPlain(thrown) ? thrown : standIn(thrown, readThrown(thrown).causes);
}

/** Whether an error and its causes are ordinary ones. */
function isPlain(thrown: unknown, depth = 0): boolean {
  if (!isNativeError(thrown) || depth > 5 || Object.isFrozen(thrown)) return false;
  if (!Object.getOwnPropertyNames(thrown).every((key) => isReadable(thrown, key))) return false;
  const { name, message, stack, cause } = thrown;
  if (typeof name !== 'string' || typeof message !== 'string' || (stack !== undefined && typeof stack !== 'string'))
    return false;
  if (propertyOf(thrown, 'toJSON') !== undefined || propertyOf(thrown, 'errors') !== undefined) return false;
  return cause === undefined || typeof cause === 'string' || isPlain(cause, depth + 1);
}

/** An error with the message of a thrown value. */
function standIn(thrown: unknown, causes: readonly string[]): Error {
  const { type, message, stack, hint, consoleTail } = readThrown(thrown);
  const compared = isNativeError(thrown) && propertyOf(thrown, 'actual') !== undefined;
  return Object.assign(new Error(message), {
    name: type,
    stack: stack ?? `${type}: ${message}`,
    causes,
    consoleTail,
    ...(hint === undefined ? {} : { hint }),
    // vitest computes the diff of the two.
    ...(compared ? { actual: propertyOf(thrown, 'actual'), expected: propertyOf(thrown, 'expected') } : {}),
  });
}
