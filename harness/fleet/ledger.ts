import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { Ask } from '../engines/engine.ts';

/** The fixed facts of a run on an engine: everything that is needed to continue it without the project. */
export interface Opened {
  readonly type: 'opened';
  readonly engine: { readonly name: string; readonly config: EngineConfig };
  /** The run's folder in the shared one: parts, jobs, the worker's script. */
  readonly place: string;
  /** The folder in which nodes run the harness. */
  readonly tree: string;
  /** The command that runs the harness there. */
  readonly program: readonly string[];
  /** Maximum attempts of a cell. */
  readonly attempts: number;
  readonly classes: readonly { readonly ask: Ask; readonly cells: readonly string[] }[];
}

/** Rows are about to be submitted. */
export interface Intent {
  readonly type: 'intent';
  readonly token: string;
  /** The cell and the number of its attempt, in the order of the rows. */
  readonly rows: readonly (readonly [cell: string, attempt: number])[];
}

/** An attempt was lost. */
export interface Lost {
  readonly type: 'lost';
  readonly cell: string;
  readonly attempt: number;
  readonly why: string;
}

type Line = Opened | Intent | Lost | { readonly type: 'refused'; readonly token: string } | { readonly type: 'closed' };

/** A submitted attempt without a known outcome. */
export interface OpenAttempt {
  readonly cell: string;
  readonly attempt: number;
  readonly token: string;
  /** The row of the job. */
  readonly index: number;
}

const FILE = 'dispatch.jsonl';

/**
 * A controller's record of each submission, on disk before it is made: `dispatch.jsonl` in the run's folder. If it is
 * killed at any moment, another one continues from the file and submits nothing twice.
 */
export class Ledger {
  readonly #file: string;
  readonly #attempts = new Map<string, number>();
  readonly #open = new Map<string, OpenAttempt>();
  readonly #lost = new Map<string, Lost[]>();
  #jobs = 0;
  #opened: Opened | undefined;
  #closed = false;
  /** The file ends in a torn line. */
  #torn = false;

  private constructor(file: string) {
    this.#file = file;
  }

  /** Reads the ledger of a run; skips a line that was cut off by a crash, because it was not acted upon. */
  static async open(runFolder: string): Promise<Ledger> {
    const ledger = new Ledger(join(runFolder, FILE));
    const text = await readFile(ledger.#file, 'utf8').catch(() => '');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    ledger.#torn = whole.length < text.length;
    for (const line of whole.split('\n')) {
      try {
        if (line !== '') ledger.#take(JSON.parse(line) as Line);
      } catch {
        // Half a line that a controller before this one has ended.
      }
    }
    return ledger;
  }

  /** What it is; undefined: the run is on no engine. */
  get opened(): Opened | undefined {
    return this.#opened;
  }

  /** Whether a controller has begun, and none has come to the end. */
  get goesOn(): boolean {
    return this.#opened !== undefined && !this.#closed;
  }

  /** How many jobs were meant to be submitted, for names that no other has. */
  get jobs(): number {
    return this.#jobs;
  }

  /** The attempts of which nothing is known yet. */
  open(): OpenAttempt[] {
    return [...this.#open.values()];
  }

  /** The number of a cell's next attempt, from 1: none is used twice, whatever became of it. */
  next(cell: string): number {
    return (this.#attempts.get(cell) ?? 0) + 1;
  }

  /** What came to nothing of a cell since the run was opened. */
  lost(cell: string): readonly Lost[] {
    return this.#lost.get(cell) ?? [];
  }

  /** Resolves when the line is on disk. */
  append(line: Line): void {
    const descriptor = openSync(this.#file, 'a', 0o644);
    try {
      appendFileSync(descriptor, `${this.#torn ? '\n' : ''}${JSON.stringify(line)}\n`);
      this.#torn = false;
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    this.#take(line);
  }

  /** An attempt is over, and has a result: the run's events say which. */
  end(cell: string): void {
    this.#open.delete(cell);
  }

  #take(line: Line): void {
    switch (line.type) {
      case 'opened':
        this.#opened = line;
        this.#closed = false;
        this.#open.clear();
        this.#lost.clear();
        return;
      case 'intent':
        this.#jobs += 1;
        line.rows.forEach(([cell, attempt], index) => {
          this.#attempts.set(cell, Math.max(attempt, this.#attempts.get(cell) ?? 0));
          this.#open.set(cell, { cell, attempt, token: line.token, index });
        });
        return;
      case 'refused':
        for (const one of this.open()) if (one.token === line.token) this.#open.delete(one.cell);
        return;
      case 'lost':
        this.#lost.set(line.cell, [...(this.#lost.get(line.cell) ?? []), line]);
        if (this.#open.get(line.cell)?.attempt === line.attempt) this.#open.delete(line.cell);
        return;
      case 'closed':
        this.#closed = true;
        this.#open.clear();
        return;
    }
  }
}
