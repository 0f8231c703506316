import { daysUntil, PASSES_TO_LEAVE } from '../events/quarantine.ts';
import { isBad } from '../events/verdicts.ts';
import type { Night, NightCell, NightQuarantine } from './night.ts';

/** Something that is in quarantine in the last night, and how it came to that. */
export interface QuarantineStory extends NightQuarantine {
  /** Position of the first night of the row in which it has been there. */
  readonly since: number;
  /** Days from that night to the last one. */
  readonly ageDays: number;
  /** The last days that it had before, the oldest first: each was put off. */
  readonly before: readonly string[];
  /** Days until it votes again; 0: the last night was the last. Negative: for how long it has. */
  readonly daysLeft: number;
  /** It has passed often enough to leave. */
  readonly ready: boolean;
}

/** What is in quarantine in the last night: what has expired first, then what is there longest. */
export function quarantineStories(nights: readonly Night[]): QuarantineStory[] {
  const last = nights.at(-1);
  return (last?.quarantine ?? [])
    .map((entry) => storyOf(entry, nights))
    .sort((a, b) => Number(b.daysLeft < 0) - Number(a.daysLeft < 0) || b.ageDays - a.ageDays);
}

function storyOf(entry: NightQuarantine, nights: readonly Night[]): QuarantineStory {
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

/** What it is about: its link, its owner and its day may change meanwhile. */
function keyOf({ test, cell, arch, target }: NightQuarantine): string {
  return JSON.stringify([test, cell, arch, target]);
}

/** Whether somebody has to look at a cell: it is bad, and not because of what is in quarantine. */
export function isUnexcused(cell: Pick<NightCell, 'verdict' | 'excused'>): boolean {
  return isBad(cell) && cell.excused !== true;
}
