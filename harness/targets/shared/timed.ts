import type { Io } from '../target.ts';

/** Runs some work and reports its duration as a phase of the step; failed work has none. */
export async function timed<T>(io: Io, name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  io.phase({ name, durationMs: Math.round(performance.now() - started) });
  return result;
}
