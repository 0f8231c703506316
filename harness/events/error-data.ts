import { HarnessError, SuiteError } from '../base/errors.ts';
import { inspected, isNativeError, propertyOf, readThrown } from '../base/thrown.ts';
import type { Attempt, ErrorData } from './types.ts';

/** An error reported by another process. */
export class ReportedError extends SuiteError {
  readonly reported: ErrorData;
  constructor([first, ...others]: readonly [ErrorData, ...ErrorData[]]) {
    super(first.message);
    const causes = [...(first.causes ?? []), ...others.map(({ message }) => `also: ${message}`)];
    this.reported = { ...first, ...(causes.length > 0 ? { causes } : {}) };
  }
}

/** Any thrown value as data for an event: foreign errors enter the events only through here. */
export function errorDataOf(thrown: unknown): ErrorData {
  const ours = isNativeError(thrown) && thrown instanceof HarnessError;
  if (ours && thrown instanceof ReportedError) return thrown.reported;
  const { causes, consoleTail, stack, ...said } = readThrown(thrown);
  return {
    ...said,
    // Our own errors say everything in their message; their stack helps nobody.
    ...(stack === undefined || ours ? {} : { stack }),
    ...(causes.length > 0 ? { causes } : {}),
    ...(consoleTail.length > 0 ? { consoleTail } : {}),
  };
}

/** An error as written by any version, with every field that reports rely on; its parts keep their order. */
export function errorFrom(written: unknown): ErrorData {
  const read = errorDataOf(written);
  const type = propertyOf(written, 'type');
  const causes = listFrom(propertyOf(written, 'causes')).map((cause) =>
    typeof cause === 'string' ? cause : inspected(cause),
  );
  const whole: Record<string, unknown> = {
    ...read,
    type: typeof type === 'string' && type !== '' ? type : read.type,
    ...(causes.length > 0 ? { causes } : {}),
  };
  for (const [key, kind] of [
    ['file', 'string'],
    ['line', 'number'],
    ['column', 'number'],
  ] as const)
    if (typeof propertyOf(written, key) === kind) whole[key] = propertyOf(written, key);
  const order = new Set([...Object.keys((written ?? {}) as object), ...Object.keys(whole)]);
  return Object.fromEntries(
    [...order].filter((key) => key in whole).map((key) => [key, whole[key]]),
  ) as unknown as ErrorData;
}

/** The same for a test's attempts. */
export function attemptsFrom(written: unknown): readonly Attempt[] {
  return listFrom(written).map((attempt) => {
    const { verdict = 'failed', durationMs = 0, errors, startedAt, log, console } = (attempt ?? {}) as Partial<Attempt>;
    return {
      verdict,
      durationMs,
      errors: listFrom(errors).map(errorFrom),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(Array.isArray(log) ? { log } : {}),
      ...(Array.isArray(console) ? { console } : {}),
    };
  });
}

function listFrom(written: unknown): readonly unknown[] {
  return Array.isArray(written) ? written : [];
}
