import { readdirSync, readFileSync } from 'node:fs';

/** Scheduler times of each thread of a process, by its id, in nanoseconds. */
export type HostTime = ReadonlyMap<string, { readonly ran: number; readonly waited: number }>;

/**
 * How long each thread of a process was on a processor, and how long it was ready to run while the processors were busy
 * with something else; undefined where the kernel does not say, or the process is gone.
 * Source: Documentation/scheduler/sched-stats.rst of Linux, `/proc/PID/task/TID/schedstat`.
 */
export function hostTimeOf(pid: number): HostTime | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
      const fields = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ').map(Number);
      return [thread, { ran: fields[0] ?? 0, waited: fields[1] ?? 0 }] as const;
    });
    return new Map(threads);
  } catch {
    return undefined;
  }
}

/**
 * The share of the time between two readings for which a process waited for a processor, 0 to 1: of each thread waited
 * / (ran + waited), weighted by how long it ran, because the threads that do the work decide how long it takes.
 * Undefined if unknown, or if the process did not run at all.
 */
export function waitedShare(before: HostTime | undefined, after: HostTime | undefined): number | undefined {
  if (!before || !after) return undefined;
  let [weights, sum] = [0, 0];
  for (const [thread, { ran, waited }] of after) {
    const was = before.get(thread) ?? { ran: 0, waited: 0 };
    const [newlyRan, newlyWaited] = [ran - was.ran, waited - was.waited];
    if (newlyRan <= 0) continue;
    weights += newlyRan;
    sum += (newlyRan * newlyWaited) / (newlyRan + newlyWaited);
  }
  return weights > 0 ? sum / weights : undefined;
}
