import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { tryLock } from '../../base/lock.ts';
import { RunFold } from '../../events/fold.ts';
import { eventsIn } from '../../events/reader.ts';
import type { HarnessEvent, StoredEvent } from '../../events/types.ts';
import { type EventLog, openEventLog } from '../../events/writer.ts';
import { isGoingOn, type Lease, openLease } from './lease.ts';

/** A run that goes on: where it writes what happens, and what it has taken. Disposal closes both. */
export interface OpenRun extends AsyncDisposable {
  readonly name: string;
  /** Its folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  /** What its events amount to so far. */
  readonly fold: RunFold;
  /** Resolves when the event is on disk and has been shown. @param at when it happened; absent: now. */
  readonly emit: (event: HarnessEvent, at?: string) => Promise<void>;
}

/**
 * Opens a run under a new name.
 * @param runs the folder in which its own is made.
 * @param state where leases are kept.
 * @param onEvent called with each event that is on disk.
 * @param now the clock of its name and its events.
 * @param place its folder, where that is not to be named after it.
 */
export async function openRun(
  runs: string,
  state: string,
  onEvent: (event: StoredEvent) => void,
  now: () => Date = () => new Date(),
  place?: string,
): Promise<OpenRun> {
  const name = runName(now());
  return opened(name, place ?? join(runs, name), state, new RunFold(), onEvent, now);
}

async function opened(
  name: string,
  folder: string,
  state: string,
  fold: RunFold,
  onEvent: (event: StoredEvent) => void,
  now: () => Date = () => new Date(),
): Promise<OpenRun> {
  const lease = openLease(state, name, folder);
  const log = await openLog(folder, now).catch(async (error: unknown) => {
    await lease.end();
    throw error;
  });
  log.onEvent((event) => fold.add(event));
  log.onEvent(onEvent);
  return {
    name,
    folder,
    lease,
    fold,
    emit: async (event, at) => void (await log.append(event, at)),
    async [Symbol.asyncDispose]() {
      await log.close();
      // What cannot be removed now is what gc is for.
      await lease.end().catch(() => {});
    },
  };
}

/**
 * Opens a run that was killed, interrupted or cut short, to go on with it. Events are appended to those that it has; only one
 * process can do so.
 * @param folder its folder, absolute; it is named so.
 * @throws ConfigError when it is still going on, here or in another process.
 */
export async function reopenRun(
  folder: string,
  state: string,
  onEvent: (event: StoredEvent) => void,
): Promise<OpenRun> {
  const name = basename(folder);
  const lock = await tryLock(join(folder, 'lock'));
  const going = new ConfigError(`cannot resume ${name}: it is still running`, {
    hint: 'Wait for it, or interrupt it.',
  });
  if (!lock) throw going;
  try {
    if (await isGoingOn(state, name)) throw going;
    const file = join(folder, 'events.jsonl');
    const fold = new RunFold();
    for await (const event of eventsIn(file)) fold.add(event);
    const open = await opened(name, folder, state, fold, onEvent);
    return {
      ...open,
      async [Symbol.asyncDispose]() {
        await open[Symbol.asyncDispose]();
        await lock[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

async function openLog(folder: string, now: () => Date): Promise<EventLog> {
  makeFolder(folder);
  return openEventLog(join(folder, 'events.jsonl'), { now });
}

/** `20261120-214512-3f9a`: sorts by time, and two runs in one second differ. */
function runName(now: Date): string {
  const [date, time] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}-${time}-${randomBytes(2).toString('hex')}`;
}
