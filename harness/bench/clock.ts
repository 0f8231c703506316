import { median } from 'simple-statistics';
import { formatMs } from './format-ms.ts';

/** How finely a clock tells time, measured where it stands. Milliseconds. */
export interface ClockFacts {
  /** The least step that it was seen to take. */
  readonly resolutionMs: number;
  /** How long it takes to read it. */
  readonly overheadMs: number;
}

/** How many times the resolution and the overhead of its clock a sample has to be: what they add is below 1 %. */
export const LEAST_TIMES = 100;

/** The controller's clock, from readings in a row. */
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
 * Refuses samples that the clock cannot tell.
 * @throws Error when the shortest is not at least {@link LEAST_TIMES} times the resolution and the overhead.
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
