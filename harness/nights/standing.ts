import type { Figure, Night, NightCell } from './night.ts';
import { isUnexcused } from './quarantine.ts';

/** A cell or benchmark missing for more nights than this was removed on purpose. */
const MISSED_FOR = 7;

/** A cell that was red in the last night, and in the one before. */
export interface StillRed {
  /** As it was in the last night. */
  readonly cell: NightCell;
  /** Position of the first of its red nights in a row; nights in which the cell was not run are left out. */
  readonly since: number;
  /** How many nights in a row it ran and was red, including the last. */
  readonly nights: number;
}

/** A cell, or benchmarks of one, that neither the last night nor the one before has. */
export interface StillMissing {
  readonly cell: string;
  /** Absent: the cell itself. */
  readonly benchmarks?: readonly string[];
  /** Position of the last night that had it. */
  readonly last: number;
}

/** Cells that have been red for two nights or more: not news, but still to be shown. */
export function stillRed(nights: readonly Night[]): StillRed[] {
  return (nights.at(-1)?.cells ?? []).flatMap((cell) => {
    const red = redStreak(nights, cell.name);
    return red.length < 2 ? [] : [{ cell, since: red.at(-1)!, nights: red.length }];
  });
}

/** The nights in which a cell was red without a good one between, the last first; quarantined failures are not red. */
function redStreak(nights: readonly Night[], name: string): number[] {
  const red: number[] = [];
  for (let night = nights.length - 1; night >= 0; night--) {
    const cell = nights[night]!.cells.find((one) => one.name === name);
    if (!cell) continue;
    if (!isUnexcused(cell)) break;
    red.push(night);
  }
  return red;
}

/** Cells and benchmarks of the last {@link MISSED_FOR} nights that have been missing for two or more. */
export function stillMissing(nights: readonly Night[]): StillMissing[] {
  const [before, last] = [nights.at(-2), nights.at(-1)];
  if (!before || !last) return [];
  const missing = new Map<string, { cell: string; benchmarks?: string[]; last: number }>();
  const from = Math.max(0, nights.length - 1 - MISSED_FOR);
  for (let night = nights.length - 3; night >= from; night--) {
    for (const cell of nights[night]!.cells) {
      const now = last.cells.find(({ name }) => name === cell.name);
      if (!now) {
        const gone = before.cells.every(({ name }) => name !== cell.name);
        if (gone && !missing.has(cell.name)) missing.set(cell.name, { cell: cell.name, last: night });
        continue;
      }
      const then = before.cells.find(({ name }) => name === cell.name);
      const lost = cell.figures.filter((figure) => isMeasured(figure) && !hasOf(now, figure) && !hasOf(then, figure));
      for (const { name } of lost) {
        const entry = missing.get(`${cell.name} ${night}`) ?? { cell: cell.name, benchmarks: [], last: night };
        const known = [...missing.values()].some((one) => one.cell === cell.name && one.benchmarks?.includes(name));
        if (!known) missing.set(`${cell.name} ${night}`, { ...entry, benchmarks: [...(entry.benchmarks ?? []), name] });
      }
    }
  }
  return [...missing.values()];
}

function isMeasured({ median }: Figure): boolean {
  return median !== undefined;
}

/** Whether a cell has a figure of that benchmark, on whatever machine. */
export function hasOf(cell: NightCell | undefined, { file, name }: Pick<Figure, 'file' | 'name'>): boolean {
  return cell?.figures.some((one) => one.file === file && one.name === name && isMeasured(one)) ?? false;
}
