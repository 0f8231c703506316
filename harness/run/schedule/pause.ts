/** Where a run has stopped for somebody to look. */
export interface Paused {
  readonly cell: string;
  /** The run's folder, absolute. */
  readonly folder: string;
  /** What failed: a test, or the cell. */
  readonly what: string;
  readonly why: string;
}

/** Waits until a person says that the run may go on, or the signal is aborted. */
export type WaitForPerson = (paused: Paused, signal: AbortSignal) => Promise<void>;

/** Stops a run at its first failure, with the machine as it is. */
export interface Pause {
  /** Whether failures are asked about, and none has been yet. */
  readonly armed: boolean;
  /** Whether somebody is looking. */
  readonly active: boolean;
  /** Milliseconds for which somebody has been looking, all told. */
  readonly totalMs: number;
  /** Waits for the person, the first time; at once where nobody asked for it, or it has happened. */
  at(paused: Paused, signal: AbortSignal): Promise<void>;
}

/** @param wait absent: a run never stops. */
export function pauseOnce(wait: WaitForPerson | undefined, now: () => number = () => performance.now()): Pause {
  let armed = wait !== undefined;
  let since: number | undefined;
  let beforeMs = 0;
  return {
    get armed() {
      return armed;
    },
    get active() {
      return since !== undefined;
    },
    get totalMs() {
      return beforeMs + (since === undefined ? 0 : now() - since);
    },
    async at(paused, signal) {
      if (!armed || signal.aborted) return;
      armed = false;
      since = now();
      try {
        await wait!(paused, signal);
      } finally {
        beforeMs += now() - since;
        since = undefined;
      }
    },
  };
}

/** Calls `late` after some milliseconds in which nobody was looking. Disposal forgets it. */
export function limitTime(limitMs: number, pause: Pause, late: () => void): Disposable {
  let countedMs = pause.totalMs;
  let timer: NodeJS.Timeout;
  const check = () => {
    const moreMs = pause.totalMs - countedMs;
    countedMs += moreMs;
    // While somebody looks, it is asked again each second.
    if (moreMs > 0 || pause.active) timer = setTimeout(check, Math.max(moreMs, 1000));
    else late();
  };
  timer = setTimeout(check, limitMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
