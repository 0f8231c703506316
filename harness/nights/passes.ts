import { foldFile } from '../events/load-run.ts';
import { matchesCell, matchesTest, passedOf } from '../events/quarantine.ts';
import type { RunResult } from '../events/result.ts';
import type { QuarantineEntry } from '../events/types.ts';

/** Limit of the search: nobody asks for more passes in a streak. */
const MOST_RUNS = 50;

type Entry = Omit<QuarantineEntry, 'passedBefore'>;

/**
 * For each entry, the number of consecutive runs, up to the newest, in which everything that it matches passed. A run
 * in which none of it ran neither counts nor ends the streak.
 * @param files events of runs, the newest first; each is read only while the streak of an entry continues.
 */
export async function passedInARow(entries: readonly Entry[], files: readonly string[]): Promise<number[]> {
  const streaks = entries.map(() => ({ passes: 0, open: true }));
  for (const file of files.slice(0, MOST_RUNS)) {
    if (!streaks.some(({ open }) => open)) break;
    const run = await foldFile(file);
    for (const [index, entry] of entries.entries()) {
      const streak = streaks[index]!;
      const passed = streak.open ? passedIn(run, entry) : undefined;
      if (passed === true) streak.passes++;
      if (passed === false) streak.open = false;
    }
  }
  return streaks.map(({ passes }) => passes);
}

/** Whether everything that an entry matches passed in a run; undefined: none of it ran. */
export function passedIn(run: RunResult, entry: Entry): boolean | undefined {
  const full = { ...entry, passedBefore: 0 };
  const verdicts = run.cells
    .filter((cell) => matchesCell(full, cell))
    .flatMap((cell) =>
      entry.test === undefined
        ? [cell.verdict]
        : cell.tests.filter((test) => matchesTest(full, test)).map(({ verdict }) => verdict),
    );
  const passed = verdicts.flatMap((verdict) => passedOf(verdict) ?? []);
  return passed.length === 0 ? undefined : passed.every(Boolean);
}
