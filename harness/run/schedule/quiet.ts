/**
 * Keeps measurements free of disturbance: either any number of cells are busy, or one cell measures. A cell that waits
 * to measure does not hold up the others; it starts as soon as no cell is busy.
 */
export class QuietLock {
  #busy = 0;
  #measuring = false;
  #names: string[] = [];
  #waiters: (() => void)[] = [];

  /** The names of cells that are busy or measuring, each once. */
  get names(): string[] {
    return [...new Set(this.#names)];
  }

  /** Runs work that uses the machine. @param name shown to cells that wait. */
  async busy<T>(work: () => Promise<T>, name: string): Promise<T> {
    while (this.#measuring) await this.#change();
    this.#busy += 1;
    this.#names.push(name);
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#forget(name);
      this.#wake();
    }
  }

  /** Runs a measurement, alone. @param name shown to cells that wait. */
  async quiet<T>(work: () => Promise<T>, name: string): Promise<T> {
    while (this.#measuring || this.#busy > 0) await this.#change();
    this.#measuring = true;
    this.#names.push(name);
    try {
      return await work();
    } finally {
      this.#measuring = false;
      this.#forget(name);
      this.#wake();
    }
  }

  #forget(name: string): void {
    this.#names.splice(this.#names.indexOf(name), 1);
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

/** A fair counting semaphore: waiters are served in order, so that one that needs many slots is not starved. */
export class Slots {
  readonly #count: number;
  #free: number;
  readonly #queue: { readonly places: number; readonly go: () => void }[] = [];
  readonly #names: string[] = [];
  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** The names of current holders. */
  get names(): readonly string[] {
    return this.#names;
  }

  /**
   * @param name shown to those that wait.
   * @param wanted slots that the work takes; capped at the total.
   */
  async use<T>(work: () => Promise<T>, name: string, wanted = 1): Promise<T> {
    const places = Math.min(wanted, this.#count);
    if (this.#queue.length === 0 && this.#free >= places) this.#free -= places;
    else await new Promise<void>((go) => this.#queue.push({ places, go }));
    this.#names.push(name);
    try {
      return await work();
    } finally {
      this.#names.splice(this.#names.indexOf(name), 1);
      this.#free += places;
      for (let next = this.#queue[0]; next && this.#free >= next.places; next = this.#queue[0]) {
        this.#free -= next.places;
        this.#queue.shift();
        next.go();
      }
    }
  }
}
