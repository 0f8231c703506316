/**
 * Keeps measurements apart from everything that would disturb them: any number of cells may be busy at once, or one
 * may measure. Who waits to measure does not hold up the others; it goes as soon as nobody is busy.
 */
export class QuietLock {
  #busy = 0;
  #measuring = false;
  #names: string[] = [];
  #waiters: (() => void)[] = [];

  /** The names of those who are busy, or measure; each once. */
  get names(): string[] {
    return [...new Set(this.#names)];
  }

  /** Runs something that uses the machine. @param name for those who wait. */
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

  /** Runs a measurement, alone. @param name for those who wait. */
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

/** Lets so many work at once; the others wait in order, so that one that needs many places is not passed by forever. */
export class Slots {
  readonly #count: number;
  #free: number;
  readonly #queue: { readonly places: number; readonly go: () => void }[] = [];
  readonly #names: string[] = [];
  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** The names of those who work. */
  get names(): readonly string[] {
    return this.#names;
  }

  /**
   * @param name for those who wait.
   * @param wanted places that the work takes; more than there are is all of them.
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
