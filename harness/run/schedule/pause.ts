/** Where a run has paused for a person to look. */
export interface Paused {
  readonly cell: string;
  /** The run's folder, absolute. */
  readonly folder: string;
  /** What failed: a test, or the cell. */
  readonly what: string;
  readonly why: string;
}

/** Waits until a person continues the run, or the signal is aborted. */
export type WaitForPerson = (paused: Paused, signal: AbortSignal) => Promise<void>;

/** Pauses a run at its first failure, leaving the machine as it is. */
export interface Pause {
  /** Whether the next failure pauses the run. */
  readonly armed: boolean;
  /** Whether the run is paused now. */
  readonly active: boolean;
  /** Total milliseconds paused so far. */
  readonly totalMs: number;
  /** The first time, waits for the person; resolves at once if pausing is off or has already happened. */
  at(paused: Paused, signal: AbortSignal): Promise<void>;
}

/** @param wait absent: the run never pauses. */
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

/** Calls `late` after `limitMs`, not counting pauses. Disposal cancels it. */
export function limitTime(limitMs: number, pause: Pause, late: () => void): Disposable {
  let countedMs = pause.totalMs;
  let timer: NodeJS.Timeout;
  const check = () => {
    const moreMs = pause.totalMs - countedMs;
    countedMs += moreMs;
    // Checks again every second during a pause.
    if (moreMs > 0 || pause.active) timer = setTimeout(check, Math.max(moreMs, 1000));
    else late();
  };
  timer = setTimeout(check, limitMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
