import { HarnessError } from '../base/errors.ts';
import type { ErrorData } from '../events/types.ts';

/** An error of ours or of Node's as data for an event. */
export function errorDataOf(error: unknown): ErrorData {
  if (!(error instanceof Error)) return { type: 'Error', message: String(error) };
  const causes: string[] = [];
  for (
    let cause = error.cause;
    cause !== undefined && causes.length < 5;
    cause = (cause as { cause?: unknown }).cause
  ) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (!error.message.includes(text)) causes.push(text);
    if (!(cause instanceof Error)) break;
  }
  const tail = (error as { consoleTail?: readonly string[] }).consoleTail;
  return {
    type: error.name,
    message: error.message,
    // Our own errors say all in their message; where in the harness they were thrown helps nobody.
    ...(error instanceof HarnessError || error.stack === undefined ? {} : { stack: error.stack }),
    ...(error instanceof HarnessError && error.hint !== undefined ? { hint: error.hint } : {}),
    ...(causes.length > 0 ? { causes } : {}),
    ...(tail && tail.length > 0 ? { consoleTail: tail } : {}),
  };
}
