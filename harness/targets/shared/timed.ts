import type { Io } from '../target.ts';

/** Does some work and tells how long it took, as a phase of the step; what fails has no duration. */
export async function timed<T>(io: Io, name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  io.phase({ name, durationMs: Math.round(performance.now() - started) });
  return result;
}
