import { readFile } from 'node:fs/promises';
import { ConfigError, HarnessError, messageOf } from '../base/errors.ts';
import { sanitize } from './sanitize.ts';
import { EVENTS_VERSION, type StoredEvent } from './types.ts';

/** The events of a file, and what is to be said about it. */
export interface ReadEvents {
  readonly events: readonly StoredEvent[];
  /** One sentence each: what was left out, and why. */
  readonly notes: readonly string[];
  /** Bytes of the file up to and with the last whole line. */
  readonly validBytes: number;
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

/** As {@link readEvents}, of bytes; `file` is for messages. */
export function parseEvents(bytes: Uint8Array, file: string): ReadEvents {
  // Cut by bytes: a crash may have split a character.
  const validBytes = bytes.lastIndexOf(0x0a) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, validBytes));
  const lines = text.split('\n').slice(0, -1);
  const notes: string[] = [];
  if (validBytes < bytes.length) {
    const torn = bytes.length - validBytes;
    notes.push(
      `${file}:${lines.length + 1}: the last line is torn (${torn} bytes): the harness was killed while it wrote`,
    );
  }
  const events = lines.map((line, index) => parseLine(line, index, `${file}:${index + 1}`));
  const other = events.findIndex(({ v }) => v !== events[0]!.v);
  if (other > 0) {
    throw new HarnessError(
      `cannot read ${file}:${other + 1}: events of version ${events[other]!.v} behind some of version ${events[0]!.v}: two streams in one file`,
    );
  }
  return { events, notes, validBytes };
}

function parseLine(line: string, expected: number, where: string): StoredEvent {
  let event: Partial<StoredEvent> & { readonly v?: unknown };
  try {
    event = sanitize(JSON.parse(line));
  } catch (cause) {
    throw new HarnessError(`cannot read ${where}: the line is no JSON: ${messageOf(cause)}`, { cause });
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event) || typeof event.v !== 'number') {
    throw new HarnessError(`cannot read ${where}: the line is no event`);
  }
  if (event.v > EVENTS_VERSION) {
    throw new ConfigError(
      `cannot read ${where}: a newer harness wrote it (events version ${event.v}, this one reads ${EVENTS_VERSION})`,
      {
        hint: 'Update the harness, or read the run with the version that wrote it.',
      },
    );
  }
  if (event.seq !== expected) {
    throw new HarnessError(
      `cannot read ${where}: expected event number ${expected}, found ${event.seq}: lines are missing or doubled`,
    );
  }
  if (typeof event.type !== 'string' || Number.isNaN(Date.parse(String(event.at)))) {
    throw new HarnessError(`cannot read ${where}: the event has no type or no time`);
  }
  return event as StoredEvent;
}
