import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { testKey } from '../harness/events/identity.ts';
import { loadRun } from '../harness/events/load-run.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';

/** An earlier run on disk, for display with a failure. */
export interface EarlierRun {
  readonly run: string;
  readonly startedAt: string;
  readonly commit?: string;
}

/** Since when a test or a cell fails, by the runs on disk. */
export type Since =
  /** It passed in the last run that has it. */
  | { readonly state: 'new'; readonly passed: EarlierRun }
  /** It failed in this many consecutive runs before this one; `passed`: the run before them, if there is one. */
  | { readonly state: 'old'; readonly first: EarlierRun; readonly runs: number; readonly passed?: EarlierRun }
  /** No earlier run of the matrix has it. */
  | { readonly state: 'unknown' };

/** A failed test of a cell, or a failed cell. */
export interface Subject {
  readonly cell: Pick<CellResult, 'name'>;
  readonly test?: TestResult;
}

/** Answers since when something fails; undefined without any earlier run. */
export type SinceWhen = (subject: Subject) => Since | undefined;

/** Limit of the search, because each run has to be read completely. */
const MAX_RUNS = 10;

/** Bytes of an event file to search for its first event, which names every cell. */
const FIRST_EVENT = 2 ** 20;

/**
 * Reads the runs of the same matrix in the same folder that began before a run, the newest first.
 * @param folder the run's.
 * @returns a function that answers since when something fails. Unreadable runs are left out: they must not prevent a
 * report.
 */
export async function sinceWhen(run: RunResult, folder: string): Promise<SinceWhen> {
  const failed = run.cells.some(({ verdict }) => verdict !== 'passed' && verdict !== 'skipped');
  return sinceIn(failed ? await earlierRuns(run, folder) : []);
}

/** @param earlier the newest first. */
export function sinceIn(earlier: readonly RunResult[]): SinceWhen {
  if (earlier.length === 0) return () => undefined;
  const known = earlier.map((run) => ({ run, cells: new Map(run.cells.map((cell) => [cell.name, indexed(cell)])) }));
  return ({ cell, test }) => {
    let first: EarlierRun | undefined;
    let runs = 0;
    for (const { run, cells } of known) {
      const verdict = cells.get(cell.name)?.(test);
      if (verdict === undefined || verdict === 'skipped' || verdict === 'unsupported') continue;
      if (verdict === 'passed' || verdict === 'flaky') {
        const passed = nameOf(run);
        return first ? { state: 'old', first, runs, passed } : { state: 'new', passed };
      }
      first = nameOf(run);
      runs += 1;
    }
    return first ? { state: 'old', first, runs } : { state: 'unknown' };
  };
}

/** The verdict of a cell, or of a test in it. */
function indexed(cell: CellResult): (test: TestResult | undefined) => CellResult['verdict'] | undefined {
  const tests = new Map(cell.tests.map((test) => [testKey(test), test.verdict]));
  return (test) => (test ? tests.get(testKey(test)) : cell.verdict);
}

function nameOf({ run, startedAt, git }: RunResult): EarlierRun {
  return { run, startedAt, ...(git ? { commit: git.sha } : {}) };
}

function earlierRuns(run: RunResult, folder: string): Promise<RunResult[]> {
  const { matrix, startedAt } = run;
  return newestRuns(dirname(folder), { matrix: matrix.name, before: startedAt, limit: MAX_RUNS });
}

/** Which runs are meant. */
interface Wanted {
  /** The name of their matrix. */
  readonly matrix: string;
  /** They began before this: ISO 8601, UTC. */
  readonly before?: string;
  /** The most runs: each has to be read completely. */
  readonly limit: number;
}

/** Runs of a matrix in a folder of runs, the newest first. Unreadable ones are left out. */
export async function newestRuns(runs: string, { matrix, before, limit }: Wanted): Promise<RunResult[]> {
  const entries = await readdir(runs, { withFileTypes: true }).catch(() => []);
  // A run's name begins with its time; `latest` is a link to one of them.
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found: RunResult[] = [];
  for (const name of names.sort().reverse()) {
    if (found.length === limit) break;
    const first = await firstEvent(join(runs, name, 'events.jsonl'));
    if (first?.matrix !== matrix || (before !== undefined && first.at >= before)) continue;
    const run = await loadRun(join(runs, name)).catch(() => undefined);
    if (run) found.push(run);
  }
  return found;
}

/** The first event of a run's file; undefined if it is not a file of events. */
async function firstEvent(file: string): Promise<{ matrix: unknown; at: string } | undefined> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(FIRST_EVENT), 0, FIRST_EVENT, 0);
    const [line = ''] = buffer.toString('utf8', 0, bytesRead).split('\n', 1);
    const { type, at, matrix } = JSON.parse(line) as { type?: unknown; at?: unknown; matrix?: { name?: unknown } };
    return type === 'run.started' && typeof at === 'string' ? { matrix: matrix?.name, at } : undefined;
  } catch {
    return undefined;
  }
}
