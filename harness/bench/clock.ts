import { median } from 'simple-statistics';
import { formatMs } from './format-ms.ts';

/** A clock's precision, measured on its own machine. Milliseconds. */
export interface ClockFacts {
  /** The smallest step observed. */
  readonly resolutionMs: number;
  /** The time that a reading takes. */
  readonly overheadMs: number;
}

/**
 * A sample has to be this many times as long as its clock's resolution and overhead, so that they add less than 1 %.
 */
export const LEAST_TIMES = 100;

/** Measures the controller's clock by consecutive readings. */
export function controllerClock(now: () => number = () => performance.now()): ClockFacts {
  const steps = Array.from({ length: 200 }, () => {
    const before = now();
    return now() - before;
  });
  const forward = steps.filter((step) => step > 0);
  return { resolutionMs: forward.length > 0 ? Math.min(...forward) : nextStep(now), overheadMs: median(steps) };
}

function nextStep(now: () => number): number {
  const before = now();
  let after = before;
  while (after === before) after = now();
  return after - before;
}

/**
 * Refuses samples too short for the clock.
 * @throws Error if the shortest is not at least {@link LEAST_TIMES} times the resolution and the overhead.
 */
export function refuseShort(name: string, samplesMs: readonly number[], clock: ClockFacts): void {
  const least = LEAST_TIMES * Math.max(clock.resolutionMs, clock.overheadMs);
  const shortest = Math.min(...samplesMs);
  if (shortest >= least) return;
  throw new Error(
    `cannot measure "${name}": a sample took ${formatMs(shortest)}, and with this clock it takes ${formatMs(least)}, ` +
      `${LEAST_TIMES} times its resolution (${formatMs(clock.resolutionMs)}) and its overhead ` +
      `(${formatMs(clock.overheadMs)}). Make a sample longer: several operations in one, and say how many with \`operations\``,
  );
}
