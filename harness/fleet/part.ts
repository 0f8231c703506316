import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredEvent } from '../events/types.ts';

/** What is in an attempt's folder. */
export const PART = { events: 'events.jsonl', exit: 'exit', node: 'node', log: 'log', abandoned: 'abandoned' } as const;

/** The folder of an attempt of a cell, below the run's folder in the shared one. */
export function partFolder(place: string, cell: string, attempt: number): string {
  return join(place, 'parts', ...cell.split('/'), String(attempt));
}

/** Bytes that are read of a part at once; a part that has more is read on the next time. */
const MOST_BYTES = 4 * 2 ** 20;

/** Shared: there may be a tail for each of 100,000 parts. */
const NOTHING: Buffer = Buffer.alloc(0);

/** A part while it is being written. */
export class PartTail {
  readonly folder: string;
  #offset = 0;
  #rest = NOTHING;
  #exitCode: number | undefined;
  #died: number | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Whether anything was ever there: the attempt has begun. */
  get begun(): boolean {
    return this.#offset > 0;
  }

  /** What its harness says that it ended with; undefined: it has not. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** What its worker says that a harness ended with that has not said so itself. */
  get died(): number | undefined {
    return this.#died;
  }

  /** The whole events that came since the last time. What cannot be read yet comes later. */
  async more(): Promise<StoredEvent[]> {
    // It is written last, so that it is read first: what it does not have now it will never have.
    this.#died ??= await this.#exitFile();
    const bytes = await bytesAfter(join(this.folder, PART.events), this.#offset);
    if (bytes.length === 0) return [];
    this.#offset += bytes.length;
    const all = Buffer.concat([this.#rest, bytes]);
    const end = all.lastIndexOf(0x0a) + 1;
    this.#rest = all.subarray(end);
    const events = all
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .flatMap((line) => eventOf(line));
    for (const event of events) if (event.type === 'run.finished') this.#exitCode = event.exitCode;
    return events;
  }

  /** The worker's own note, for a harness that ended without events. */
  async #exitFile(): Promise<number | undefined> {
    const text = await readFile(join(this.folder, PART.exit), 'utf8').catch(() => '');
    return /^\d+\n$/.test(text) ? Number(text) : undefined;
  }
}

async function bytesAfter(path: string, offset: number): Promise<Buffer> {
  const file = await open(path).catch(() => undefined);
  if (!file) return NOTHING;
  try {
    const { size } = await file.stat();
    const length = Math.min(size - offset, MOST_BYTES);
    if (length <= 0) return NOTHING;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What is shown meanwhile; what is damaged is found when the part is taken into the run. */
function eventOf(line: string): StoredEvent[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line) as StoredEvent];
  } catch {
    return [];
  }
}
