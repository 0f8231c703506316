import { readdir, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { makeFolder } from '../../base/files.ts';
import { retriesOf } from '../../config/retries.ts';
import type { Verdict } from '../../events/types.ts';
import type { CellContext } from './context.ts';

/** How an attempt of a cell ended. */
interface Ended {
  readonly verdict: Verdict;
  readonly reason?: string;
  /** Files that were kept, relative to the run's folder. */
  readonly artifacts: readonly string[];
}

/** The attempts of a cell that failed because of their machines. */
export interface MachineRetries {
  /** Whether an attempt with this result may be followed by one on another machine. */
  left(ended: Pick<Ended, 'verdict'>): boolean;
  /** Starts over after a failed attempt: moves its files aside and writes its event. */
  again(ended: Ended, durationMs: number): Promise<void>;
  /** The result of a cell, given that of its last attempt: a cell that needed another machine is not green. */
  overall(last: { verdict: Verdict; reason?: string }): { verdict: Verdict; reason?: string };
}

/** Decides how often a cell whose machine fails is retried, and keeps the files of each attempt. */
export function machineRetries({ cell, run, folder }: CellContext): MachineRetries {
  const left = { ...retriesOf(cell.suite, run.matrix, run.choices.retries) };
  const before: Ended[] = [];
  return {
    left: ({ verdict }) => blamesMachine(verdict) && left[verdict] > 0,
    async again(ended, durationMs) {
      const { verdict, reason } = ended;
      if (blamesMachine(verdict)) left[verdict] -= 1;
      before.push({ ...ended });
      const attempt = before.length;
      const artifacts = await putAside(folder, run.open.folder, attempt, ended.artifacts);
      await run.open.emit({
        ...{ type: 'cell.retried', cell: cell.name, attempt, verdict },
        ...(reason === undefined ? {} : { reason }),
        durationMs: Math.round(durationMs),
        artifacts,
      });
    },
    overall(last) {
      const [first] = before;
      if (!first || (last.verdict !== 'passed' && last.verdict !== 'flaky')) return last;
      const reason = `it passed on machine ${before.length + 1} only; the first: ${first.reason ?? first.verdict}`;
      return { verdict: 'flaky', reason };
    },
  };
}

/** Verdicts that blame the machine, not the suite. */
function blamesMachine(verdict: Verdict): verdict is 'infra' | 'emulator' {
  return verdict === 'infra' || verdict === 'emulator';
}

/** The name of a past attempt's folder, below the cell's. */
const ATTEMPT = /^attempt-\d+$/;

/**
 * Moves everything in a cell's folder into a subfolder, so that the next attempt starts with an empty one.
 * @returns the new paths of the files that were kept; the console is always among them.
 */
async function putAside(
  folder: string,
  runFolder: string,
  attempt: number,
  kept: readonly string[],
): Promise<readonly string[]> {
  const place = join(folder, `attempt-${attempt}`);
  makeFolder(place);
  const names = (await readdir(folder)).filter((name) => !ATTEMPT.test(name));
  for (const name of names) await rename(join(folder, name), join(place, name));
  const moved = kept.map((file) => join(relative(runFolder, place), relative(folder, join(runFolder, file))));
  const consoles = (await readdir(place, { recursive: true }))
    .filter((name) => name === 'console.log' || name.endsWith('/console.log'))
    .map((name) => join(relative(runFolder, place), name));
  return [...new Set([...moved, ...consoles])];
}
