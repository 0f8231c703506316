import { countTests } from '../harness/events/fold.ts';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import type { Report, ReportFile, ReportPlace } from './report.ts';

/** Cells on one page, or in one file of JUnit: a run that has more is split. */
export const MOST_CELLS = 1000;

/** Some of a run's cells, as a run: its counts are of these, all else of the whole. */
export interface RunPart {
  readonly run: RunResult;
  /** From 1. */
  readonly number: number;
}

/**
 * A run in parts of at most {@link MOST_CELLS} cells, in the order of the plan; cells that differ in their architecture only
 * stay together. A run that is small enough is one part: itself.
 */
export function partsOf(run: RunResult, most = MOST_CELLS): RunPart[] {
  if (run.cells.length <= most) return [{ run, number: 1 }];
  const stacks = Map.groupBy(run.cells, ({ suite, target, release }) => JSON.stringify([suite, target, release]));
  const parts: CellResult[][] = [[]];
  for (const cells of stacks.values()) {
    if (parts.at(-1)!.length > 0 && parts.at(-1)!.length + cells.length > most) parts.push([]);
    parts.at(-1)!.push(...cells);
  }
  return parts.map((cells, index) => ({ run: { ...run, cells, counts: countTests(cells) }, number: index + 1 }));
}

/** Whether a run is in parts. */
export function isLarge({ cells }: Pick<RunResult, 'cells'>): boolean {
  return cells.length > MOST_CELLS;
}

/** `junit.xml` → `junit-part-1.xml`. */
export function partPath(path: string, number: number | '*'): string {
  return path.replace(/(\.\w+)$/, `-part-${number}$1`);
}

/** A report of one file for each part of a run; a run in one part has one file, with the report's own name. */
export function filePerPart({
  render,
  ...report
}: Omit<Report, 'files' | 'pathFor'> & {
  readonly render: (run: RunResult, place: ReportPlace) => string;
}): Report {
  return {
    ...report,
    pathFor: (run) => (isLarge(run) ? partPath(report.path, '*') : report.path),
    *files(run, place): Iterable<ReportFile> {
      for (const part of partsOf(run))
        yield {
          path: isLarge(run) ? partPath(report.path, part.number) : report.path,
          content: render(part.run, place),
        };
    },
  };
}
