/**
 * Keeps measurements apart from everything that would disturb them: any number of cells may be busy at once, or one
 * may measure. Who waits to measure does not hold up the others; it goes as soon as nobody is busy.
 */
export class QuietLock {
  #busy = 0;
  #measuring = false;
  #waiters: (() => void)[] = [];

  /** Runs something that uses the machine. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    while (this.#measuring) await this.#change();
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#wake();
    }
  }

  /** Runs a measurement, alone. */
  async quiet<T>(work: () => Promise<T>): Promise<T> {
    while (this.#measuring || this.#busy > 0) await this.#change();
    this.#measuring = true;
    try {
      return await work();
    } finally {
      this.#measuring = false;
      this.#wake();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiting) resolve();
  }
}

/** Lets so many work at once; the others wait in order. */
export class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];
  constructor(count: number) {
    this.#free = count;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
