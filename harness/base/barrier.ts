/** A place where several wait for each other: nobody passes before all have arrived. */
export interface Barrier {
  /** Resolves when all have arrived; rejects when one of them cannot come. */
  arrive(): Promise<void>;
  /** Says that one cannot come: who waits, and who will, is let go with this error. */
  fail(error: Error): void;
}

/** A barrier for `parties`, which can be passed again and again. */
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
