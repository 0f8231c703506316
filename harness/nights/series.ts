import type { CellArch } from '../arch/index.ts';
import type { Accelerator, BenchClock } from '../events/types.ts';
import { commonMode } from './common-mode.ts';
import type { Figure, Night, NightCell } from './night.ts';

/** One benchmark of one cell on one kind of machine, night by night. */
export interface Series {
  readonly cell: string;
  readonly arch: CellArch;
  readonly target: string;
  readonly suite: string;
  readonly file: string;
  readonly name: string;
  readonly clock: BenchClock;
  readonly per?: string;
  readonly accelerator?: Accelerator;
  /** As {@link Figure.machine}. */
  readonly machine: string;
  /** As {@link Figure.operations}. */
  readonly operations: number;
  /** The nights that have a figure, in order. */
  readonly points: readonly SeriesPoint[];
  /** Nights without a figure, and why. */
  readonly gaps: readonly { readonly night: number; readonly reason: string }[];
}

export interface SeriesPoint {
  /** Position among all nights, from 0. */
  readonly night: number;
  /** Milliseconds, or millions of instructions, per operation. */
  readonly median: number;
  readonly interval?: readonly [low: number, high: number];
  /** The median without the factor that all benchmarks of the cell have in common that night; counts are unchanged. */
  readonly adjusted: number;
}

/** The common factor of a cell's benchmarks: its machine, and other work on the host. */
export interface Machine {
  readonly cell: string;
  /** For each night; 1 is as usual, 1.2 a fifth slower, undefined is unknown. See {@link commonMode}. */
  readonly factors: readonly (number | undefined)[];
}

/**
 * Every benchmark's series. Figures of another machine, processor or emulator, or of another number of operations a
 * sample, are a series of their own.
 */
export function seriesOf(nights: readonly Night[]): { series: Series[]; machines: Machine[] } {
  const drafts = new Map<string, Draft>();
  for (const [night, { cells }] of nights.entries())
    for (const cell of cells) for (const figure of cell.figures) add(drafts, night, cell, figure);
  const cells = Map.groupBy(
    [...drafts.values()].filter(({ clock, points }) => clock !== 'instructions' && points.length > 0),
    ({ cell, machine }) => JSON.stringify([cell, machine]),
  );
  const factors = new Map<Draft, Machine['factors']>();
  const machines: Machine[] = [];
  for (const timed of cells.values()) {
    const common = commonMode(
      timed.map(({ points }) => new Map(points.map(({ night, median }) => [night, median]))),
      nights.length,
    );
    for (const draft of timed) factors.set(draft, common);
    machines.push({ cell: timed[0]!.cell, factors: common });
  }
  const series = [...drafts.values()].map(
    (draft): Series => ({
      ...draft,
      points: draft.points.map((point) => ({
        ...point,
        adjusted: point.median / (factors.get(draft)?.[point.night] ?? 1),
      })),
    }),
  );
  return { series, machines };
}

interface Draft extends Omit<Series, 'points' | 'gaps'> {
  readonly points: Omit<SeriesPoint, 'adjusted'>[];
  readonly gaps: { night: number; reason: string }[];
}

function add(drafts: Map<string, Draft>, night: number, cell: NightCell, figure: Figure): void {
  const { file, name, clock, per, machine, operations, median, interval, problem } = figure;
  const key = JSON.stringify([cell.name, file, name, clock, cell.accelerator, machine, operations]);
  let draft = drafts.get(key);
  if (!draft) {
    draft = {
      cell: cell.name,
      arch: cell.arch,
      target: cell.target,
      suite: cell.suite,
      file,
      name,
      clock,
      ...(per === undefined ? {} : { per }),
      ...(cell.accelerator === undefined ? {} : { accelerator: cell.accelerator }),
      machine,
      operations,
      points: [],
      gaps: [],
    };
    drafts.set(key, draft);
  }
  if (median === undefined) draft.gaps.push({ night, reason: problem ?? 'there is no figure' });
  // Of two benchmarks with one name in a night, the first counts.
  else if (draft.points.at(-1)?.night === night)
    draft.gaps.push({ night, reason: 'it was measured twice in one night' });
  else draft.points.push({ night, median, ...(interval ? { interval } : {}) });
}
