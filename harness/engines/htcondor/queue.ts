import type { AliveRows, RowState } from '../engine.ts';
import { TOKEN } from './submit.ts';

/** What `condor_q` is asked of each row; the last may be any text. */
export const COLUMNS = [TOKEN, 'ProcId', 'JobStatus', 'NumShadowStarts', 'HoldReasonCode', 'HoldReason'];

/** HTCondor's numbers of states of jobs. */
const [IDLE, RUNNING, REMOVED, COMPLETED, HELD, TRANSFERRING] = ['1', '2', '3', '4', '5', '6'];

/** Of all reasons to hold a job this one means that somebody will release it. */
const HELD_BY_HAND = '1';

/** What `condor_q -af:t` lists: a line a row. */
export function rowsIn(listed: string): ReadonlyMap<string, AliveRows> {
  const found = new Map<string, Map<number, RowState>>();
  for (const line of listed.split('\n')) {
    const [token, index, status = '', starts = '', code = '', ...why] = line.split('\t');
    const row = Number(index);
    if (!token || index === undefined || !Number.isInteger(row)) continue;
    const state = stateOf(status, Number(starts) > 0, code, why.join(' '));
    if (state === undefined) continue;
    const rows = found.get(token) ?? new Map<number, RowState>();
    found.set(token, rows);
    rows.set(row, state);
  }
  return found;
}

/** Undefined: it has ended. One that waits after it was started will not start again, and HTCondor removes it. */
function stateOf(status: string, started: boolean, code: string, why: string): RowState | undefined {
  switch (status) {
    case IDLE:
      return started ? undefined : { state: 'queued' };
    case RUNNING:
    case REMOVED:
    case TRANSFERRING:
      return { state: 'running' };
    case HELD:
      return code === HELD_BY_HAND ? { state: 'queued' } : { state: 'stuck', why };
    case COMPLETED:
      return undefined;
    default:
      return { state: 'running' };
  }
}
