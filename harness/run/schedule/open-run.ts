import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { tryLock } from '../../base/lock.ts';
import { RunFold } from '../../events/fold.ts';
import { eventsIn } from '../../events/reader.ts';
import type { HarnessEvent, StoredEvent } from '../../events/types.ts';
import { type EventLog, openEventLog } from '../../events/writer.ts';
import { isRunActive, type Lease, openLease } from './lease.ts';

/** A run in progress: its events and its lease. Disposal closes both. */
export interface OpenRun extends AsyncDisposable {
  readonly name: string;
  /** Its folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  /** The fold of its events so far. */
  readonly fold: RunFold;
  /** Resolves when the event is on disk and has been shown. @param at when it happened; absent: now. */
  readonly emit: (event: HarnessEvent, at?: string) => Promise<void>;
}

/**
 * Opens a run under a new name.
 * @param runs parent of the run's folder.
 * @param state folder of leases.
 * @param onEvent called with each event once it is on disk.
 * @param now clock for the run's name and events.
 * @param place the run's folder, if it should not be named after the run.
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
      // gc removes what is left.
      await lease.end().catch(() => {});
    },
  };
}

/**
 * Opens a run that was killed, interrupted or cut short, to continue it. New events are appended; only one process at a
 * time can do this.
 * @param folder the run's folder, absolute; its last part is the run's name.
 * @throws ConfigError when the run is still active, here or in another process.
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
    if (await isRunActive(state, name)) throw going;
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
