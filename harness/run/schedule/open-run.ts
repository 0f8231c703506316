import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { makeFolder } from '../../base/files.ts';
import { RunFold } from '../../events/fold.ts';
import type { HarnessEvent, StoredEvent } from '../../events/types.ts';
import { type EventLog, openEventLog } from '../../events/writer.ts';
import { type Lease, openLease } from './lease.ts';

/** A run that goes on: where it writes what happens, and what it has taken. Disposal closes both. */
export interface OpenRun extends AsyncDisposable {
  readonly name: string;
  /** Its folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  /** What its events amount to so far. */
  readonly fold: RunFold;
  /** Resolves when the event is on disk and has been shown. */
  readonly emit: (event: HarnessEvent) => Promise<void>;
}

/**
 * Opens a run under a new name.
 * @param runs the folder in which its own is made.
 * @param state where leases are kept.
 * @param onEvent called with each event that is on disk.
 */
export async function openRun(runs: string, state: string, onEvent: (event: StoredEvent) => void): Promise<OpenRun> {
  const name = runName(new Date());
  const folder = join(runs, name);
  const lease = openLease(state, name, folder);
  const log = await openLog(folder).catch(async (error: unknown) => {
    await lease.end();
    throw error;
  });
  const fold = new RunFold();
  log.onEvent((event) => fold.add(event));
  log.onEvent(onEvent);
  return {
    name,
    folder,
    lease,
    fold,
    emit: async (event) => void (await log.append(event)),
    async [Symbol.asyncDispose]() {
      await log.close();
      // What cannot be removed now is what gc is for.
      await lease.end().catch(() => {});
    },
  };
}

async function openLog(folder: string): Promise<EventLog> {
  makeFolder(folder);
  return openEventLog(join(folder, 'events.jsonl'));
}

/** `20261120-214512-3f9a`: sorts by time, and two runs in one second differ. */
function runName(now: Date): string {
  const [date, time] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}-${time}-${randomBytes(2).toString('hex')}`;
}
