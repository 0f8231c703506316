import { daysUntil, PASSES_TO_LEAVE } from '../events/quarantine.ts';
import { isBad } from '../events/verdicts.ts';
import type { Night, NightCell, NightQuarantine } from './night.ts';

/** An entry of the last night's quarantine, with its past. */
export interface QuarantineRecord extends NightQuarantine {
  /** Position of the first of the consecutive nights that have it. */
  readonly since: number;
  /** Days from that night to the last one. */
  readonly ageDays: number;
  /** Its earlier last days, the oldest first; each was extended. */
  readonly before: readonly string[];
  /** Days until it votes again; 0: the last night was the last. Negative: days since it expired. */
  readonly daysLeft: number;
  /** It has passed often enough to be removed. */
  readonly ready: boolean;
}

/** The quarantine of the last night: expired entries first, then the oldest. */
export function quarantineRecords(nights: readonly Night[]): QuarantineRecord[] {
  const last = nights.at(-1);
  return (last?.quarantine ?? [])
    .map((entry) => recordOf(entry, nights))
    .sort((a, b) => Number(b.daysLeft < 0) - Number(a.daysLeft < 0) || b.ageDays - a.ageDays);
}

function recordOf(entry: NightQuarantine, nights: readonly Night[]): QuarantineRecord {
  const at = nights.length - 1;
  const key = keyOf(entry);
  let since = at;
  const before: string[] = [];
  for (let night = at - 1; night >= 0; night--) {
    const old = nights[night]!.quarantine?.find((one) => keyOf(one) === key);
    if (!old) break;
    since = night;
    if (old.expires < (before[0] ?? entry.expires)) before.unshift(old.expires);
  }
  const { startedAt } = nights[at]!;
  return {
    ...entry,
    since,
    before,
    ageDays: daysUntil(startedAt.slice(0, 10), nights[since]!.startedAt),
    daysLeft: daysUntil(entry.expires, startedAt),
    ready: entry.passes >= PASSES_TO_LEAVE,
  };
}

/** Identifies an entry; its link, owner and last day may change. */
function keyOf({ test, cell, arch, target }: NightQuarantine): string {
  return JSON.stringify([test, cell, arch, target]);
}

/** Whether a cell needs attention: it is bad, and not because of the quarantine. */
export function isUnexcused(cell: Pick<NightCell, 'verdict' | 'excused'>): boolean {
  return isBad(cell) && cell.excused !== true;
}
