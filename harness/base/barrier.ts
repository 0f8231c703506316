/** Lets nobody pass until all parties have arrived. */
export interface Barrier {
  /** Resolves when all have arrived; rejects if one of them fails. */
  arrive(): Promise<void>;
  /** Rejects all current and later waiters with this error. */
  fail(error: Error): void;
}

/** A reusable barrier for `parties`. */
export function createBarrier(parties: number): Barrier {
  let waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let failure: Error | undefined;
  return {
    arrive() {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        if (waiting.length < parties) return;
        const all = waiting;
        waiting = [];
        for (const one of all) one.resolve();
      });
    },
    fail(error) {
      failure ??= error;
      for (const { reject } of waiting) reject(failure);
      waiting = [];
    },
  };
}
