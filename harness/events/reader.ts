import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError, HarnessError, messageOf } from '../base/errors.ts';
import { sanitize } from './sanitize.ts';
import { EVENTS_VERSION, type StoredEvent } from './types.ts';

/** The events of a file, and notes about it. */
export interface ReadEvents {
  readonly events: readonly StoredEvent[];
  /** What was left out and why, one sentence each. */
  readonly notes: readonly string[];
  /** Bytes of the file up to and including the last whole line. */
  readonly validBytes: number;
}

/**
 * The events of a file one after another, for files that are larger than memory.
 * @param onNote receives what was left out and why, one sentence each.
 * @throws ConfigError when there is no such file, or a newer harness wrote it.
 * @throws HarnessError with `file:line` when a line is corrupt or events are missing; what came before it was given out.
 */
export async function* eventsIn(file: string, onNote: (note: string) => void = () => {}): AsyncGenerator<StoredEvent> {
  for await (const events of batchesIn(file, onNote)) yield* events;
}

/** Like {@link eventsIn}, in batches: awaiting every single event takes a fifth of the time of reading them. */
export async function* batchesIn(
  file: string,
  onNote: (note: string) => void = () => {},
): AsyncGenerator<Iterable<StoredEvent>> {
  const lines = new EventLines(file);
  let pieces: Buffer[] = [];
  for await (const chunk of chunksOf(file)) {
    const end = chunk.lastIndexOf(0x0a);
    if (end < 0) {
      pieces.push(chunk);
      continue;
    }
    const whole = Buffer.concat([...pieces, chunk.subarray(0, end)]);
    pieces = [chunk.subarray(end + 1)];
    yield lines.readAll(whole.toString('utf8').split('\n'));
  }
  const torn = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (torn > 0) onNote(lines.tornNote(torn));
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 18 })) yield chunk as Buffer;
  } catch (cause) {
    throw new ConfigError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Reads a run's events.
 * @throws ConfigError when there is no such file, or a newer harness wrote it.
 * @throws HarnessError with `file:line` when a line is corrupt or events are missing.
 */
export async function readEvents(file: string): Promise<ReadEvents> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new ConfigError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  });
  return parseEvents(bytes, file);
}

/** Like {@link readEvents}, for bytes; `file` is for messages. */
export function parseEvents(bytes: Uint8Array, file: string): ReadEvents {
  // Cut by bytes: a crash may have split a character.
  const validBytes = bytes.lastIndexOf(0x0a) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, validBytes));
  const lines = new EventLines(file);
  const events = text
    .split('\n')
    .slice(0, -1)
    .map((line) => lines.read(line));
  const notes = validBytes < bytes.length ? [lines.tornNote(bytes.length - validBytes)] : [];
  return { events, notes, validBytes };
}

/** The lines of one stream, in order. */
class EventLines {
  readonly #file: string;
  #count = 0;
  #version: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads each line when it is asked for, so that the events before a damaged line are given out. */
  *readAll(lines: Iterable<string>): Generator<StoredEvent> {
    for (const line of lines) yield this.read(line);
  }

  /** @throws HarnessError with `file:line` for a line that is not the next event. */
  read(line: string): StoredEvent {
    const where = () => `${this.#file}:${this.#count + 1}`;
    const event = parseLine(line, this.#count, where);
    this.#version ??= event.v;
    if (event.v !== this.#version)
      throw new HarnessError(
        `cannot read ${where()}: events of version ${event.v} behind some of version ${this.#version}: two streams in one file`,
      );
    this.#count++;
    return event;
  }

  tornNote(bytes: number): string {
    return `${this.#file}:${this.#count + 1}: the last line is torn (${bytes} bytes): the harness was killed while it wrote`;
  }
}

/** Only escaped surrogates and infinite numbers could be changed by {@link sanitize}. */
const TO_SANITIZE = /\\u[dD][89a-fA-F]|[eE]\+?\d{3}|\d{309}/;

function parseLine(line: string, expected: number, where: () => string): StoredEvent {
  let event: Partial<StoredEvent> & { readonly v?: unknown };
  try {
    event = JSON.parse(line);
    if (TO_SANITIZE.test(line)) event = sanitize(event);
  } catch (cause) {
    throw new HarnessError(`cannot read ${where()}: the line is no JSON: ${messageOf(cause)}`, { cause });
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event) || typeof event.v !== 'number') {
    throw new HarnessError(`cannot read ${where()}: the line is no event`);
  }
  if (event.v > EVENTS_VERSION) {
    throw new ConfigError(
      `cannot read ${where()}: a newer harness wrote it (events version ${event.v}, this one reads ${EVENTS_VERSION})`,
      {
        hint: 'Update the harness, or read the run with the version that wrote it.',
      },
    );
  }
  if (event.seq !== expected) {
    throw new HarnessError(
      `cannot read ${where()}: expected event number ${expected}, found ${event.seq}: lines are missing or doubled`,
    );
  }
  if (typeof event.type !== 'string' || Number.isNaN(Date.parse(String(event.at)))) {
    throw new HarnessError(`cannot read ${where()}: the event has no type or no time`);
  }
  return event as StoredEvent;
}
