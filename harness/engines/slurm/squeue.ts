import type { AliveRows, RowState } from '../engine.ts';

/** Reasons for waiting that do not go away. JobHeldUser is not one: a user who holds a job means to release it. */
const FOREVER = [
  'launch failed requeued held',
  'JobHeldAdmin',
  'BadConstraints',
  'PartitionTimeLimit',
  'PartitionNodeLimit',
  'AccountNotAllowed',
  'QOSNotAllowed',
  'DependencyNeverSatisfied',
];

/**
 * What `squeue --array --format=%j|%K|%T|%r` lists: a line a task, with the job's name, the task's index, its state
 * and the reason for it.
 */
export function rowsIn(listed: string): ReadonlyMap<string, AliveRows> {
  const found = new Map<string, Map<number, RowState>>();
  for (const line of listed.split('\n')) {
    const [token, index, state, reason = ''] = line.trim().split('|');
    const row = Number(index);
    if (!token || state === undefined || !Number.isInteger(row)) continue;
    const rows = found.get(token) ?? new Map<number, RowState>();
    found.set(token, rows);
    rows.set(row, stateOf(state, reason));
  }
  return found;
}

function stateOf(state: string, reason: string): RowState {
  if (state !== 'PENDING') return { state: 'running' };
  const forever = FOREVER.find((one) => reason.toLowerCase().includes(one.toLowerCase()));
  return forever === undefined ? { state: 'queued' } : { state: 'stuck', why: reason };
}
