import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InfraError, messageOf } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { readEvents } from './reader.ts';
import { toLine } from './sanitize.ts';
import { EVENTS_VERSION, type HarnessEvent, type StoredEvent } from './types.ts';

type Listener = (event: StoredEvent) => void;

/** The file of a run's events, open for appending. */
export interface EventLog extends AsyncDisposable {
  readonly file: string;
  /**
   * Resolves once the event is on disk and the listeners have been told. Events keep the order of the calls.
   * @param at when it happened, ISO 8601 in UTC; absent: now.
   * @throws InfraError if it cannot be written; every later call then throws the same.
   */
  append(event: HarnessEvent, at?: string): Promise<StoredEvent>;
  /** Calls the listener for each event from now on, once it is on disk. Returns a function that ends this. */
  onEvent(listener: Listener): () => void;
  /** Waits for what was appended and closes the file. */
  close(): Promise<void>;
}

export interface EventLogOptions {
  readonly now?: () => Date;
}

interface Pending {
  readonly line: string;
  readonly resolve: (event: StoredEvent) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens a run's event file, creating it and its folder if necessary. An existing file is continued: a torn last line is
 * cut off, and numbering continues.
 */
export async function openEventLog(file: string, options: EventLogOptions = {}): Promise<EventLog> {
  const now = options.now ?? (() => new Date());
  makeFolder(dirname(file));
  const handle = await open(file, 'a', 0o644).catch((cause: unknown) => {
    throw new InfraError(`cannot open ${file}: ${messageOf(cause)}`, { cause });
  });
  let next: number;
  try {
    next = await takeOver(file, handle);
  } catch (error) {
    await handle.close();
    throw error;
  }

  const listeners = new Set<Listener>();
  let pending: Pending[] = [];
  let flushing: Promise<void> | undefined;
  let broken: InfraError | undefined;
  let closed = false;

  function tell(event: StoredEvent): void {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        // The event is on disk; a broken display must neither stop the run nor be called again and again.
        listeners.delete(listener);
        process.emitWarning(`a listener of events failed and is not called any more: ${messageOf(error)}`);
      }
    }
  }

  async function flush(): Promise<void> {
    // Lets everything that is appended in this tick share one write and one fsync.
    await undefined;
    while (pending.length > 0) {
      const batch = pending;
      pending = [];
      try {
        if (broken) throw broken;
        await handle.appendFile(batch.map(({ line }) => `${line}\n`).join(''));
        await handle.datasync();
      } catch (cause) {
        // Half a line may be on disk: writing on would put garbage into the middle of the file.
        broken ??= new InfraError(`cannot append to ${file}: ${messageOf(cause)}`, { cause });
        for (const { reject } of batch) reject(broken);
        continue;
      }
      for (const { line, resolve } of batch) {
        // Parsed back, so that listeners get exactly what a reader of the file will see.
        const event = JSON.parse(line) as StoredEvent;
        tell(event);
        resolve(event);
      }
    }
    flushing = undefined;
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await flushing;
    await handle.close();
  }

  return {
    file,
    append(event, at = now().toISOString()) {
      if (closed) return Promise.reject(new InfraError(`cannot append to ${file}: it is closed`));
      if (broken) return Promise.reject(broken);
      const line = toLine({ ...event, v: EVENTS_VERSION, seq: next++, at });
      return new Promise((resolve, reject) => {
        pending.push({ line, resolve, reject });
        flushing ??= flush();
      });
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The number of the next event; cuts off a torn last line. */
async function takeOver(file: string, handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  if (size === 0) {
    // A new file's name is on disk only after its folder was synced.
    const folder = await open(dirname(file));
    await folder.sync().finally(() => folder.close());
    return 0;
  }
  const { events, validBytes } = await readEvents(file);
  if (validBytes < size) await handle.truncate(validBytes);
  return events.length;
}
