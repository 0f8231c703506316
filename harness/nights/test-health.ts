import { isBad } from '../events/verdicts.ts';
import type { Night } from './night.ts';

/** How often a test went wrong in the nights in which its cell ran. */
export interface TestHealth {
  readonly cell: string;
  readonly file: string;
  readonly name: string;
  /** Nights, of those in which the cell ran. */
  readonly failed: number;
  readonly flaky: number;
  readonly ran: number;
  /** Positions, among all nights given, of the first and the last night in which it went wrong. */
  readonly since: number;
  readonly last: number;
  /** It went wrong in the last night in which its cell ran. */
  readonly now: boolean;
  /** It was in quarantine when it went wrong last. */
  readonly excused?: true;
  /** The first line of its last message. */
  readonly error?: string;
}

/** Every test that ever went wrong, those that fail now and most often first. */
export function testHealth(nights: readonly Night[]): TestHealth[] {
  const found = new Map<string, TestHealth>();
  const ran = new Map<string, number>();
  const lastRun = new Map<string, number>();
  for (const [at, { cells }] of nights.entries()) {
    for (const cell of cells) {
      // A cell that never started has no results of its tests.
      if (cell.startedAt === undefined && !cell.steps.some(({ durationMs }) => durationMs > 0)) continue;
      ran.set(cell.name, (ran.get(cell.name) ?? 0) + 1);
      lastRun.set(cell.name, at);
      for (const { file, name, verdict, error, excused } of cell.tests) {
        const key = JSON.stringify([cell.name, file, name]);
        const before = found.get(key);
        const flaky = verdict === 'flaky';
        if (!flaky && !isBad({ verdict })) continue;
        found.set(key, {
          cell: cell.name,
          file,
          name,
          failed: (before?.failed ?? 0) + Number(!flaky),
          flaky: (before?.flaky ?? 0) + Number(flaky),
          ran: 0,
          since: before?.since ?? at,
          last: at,
          now: false,
          ...(excused ? { excused } : {}),
          ...(error === undefined ? (before?.error === undefined ? {} : { error: before.error }) : { error }),
        });
      }
    }
  }
  return [...found.values()]
    .map((health) => ({ ...health, ran: ran.get(health.cell)!, now: health.last === lastRun.get(health.cell) }))
    .sort((a, b) => Number(b.now) - Number(a.now) || b.failed - a.failed || b.flaky - a.flaky || b.last - a.last);
}
