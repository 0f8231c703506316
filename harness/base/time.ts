import { setTimeout as delay } from 'node:timers/promises';

/** Rejects with `onLate()` when `work` has not settled within `ms` milliseconds. `work` itself is not stopped. */
export async function withDeadline<T>(work: Promise<T>, ms: number, onLate: () => Error | Promise<Error>): Promise<T> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { signal: timer.signal, ref: true }).then(async () => {
    throw await onLate();
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

export interface PollOptions {
  /** Milliseconds. */
  readonly deadlineMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tries until `attempt` resolves. The last error is thrown once the deadline has passed, or the signal's reason
 * once it is aborted.
 */
export async function retryUntil<T>(attempt: () => Promise<T>, options: PollOptions): Promise<T> {
  const end = performance.now() + options.deadlineMs;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await delay(options.everyMs ?? 100, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Native seconds as whole milliseconds on a target that is `scale` times slower; timers take no fractions. */
export function scaledMs(seconds: number, scale: number): number {
  return Math.ceil(seconds * 1000 * scale);
}
