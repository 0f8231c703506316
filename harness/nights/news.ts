import type { Night } from './night.ts';
import { isUnexcused } from './quarantine.ts';
import type { ChangeGroup, Trends } from './trends.ts';
import { type Triage, triageOf, triageOfChange } from './triage.ts';

/** Regressions that are new in a night. */
export type Regression =
  | { readonly kind: 'benchmark'; readonly night: number; readonly group: ChangeGroup }
  | { readonly kind: 'cell'; readonly night: number; readonly cell: Night['cells'][number] }
  | {
      readonly kind: 'test';
      readonly night: number;
      readonly cell: Night['cells'][number];
      readonly test: Night['cells'][number]['tests'][number];
    };

/**
 * The regressions of each night, the newest first: benchmarks by the first night of their change, cells and tests by
 * their own.
 */
export function regressions(nights: readonly Night[], { groups }: Trends): Regression[] {
  const benchmarks = groups
    .filter(({ members }) => members.some(({ change }) => change.ratio > 1))
    .map((group): Regression => ({ kind: 'benchmark', night: group.first, group }));
  const others = nights.flatMap((night, at) => (at === 0 ? [] : turnedRed(nights[at - 1]!, night, at)));
  return [...benchmarks, ...others].sort((a, b) => b.night - a.night);
}

/** Tests that newly went wrong, and cells that did without a test that explains it; nothing that is in quarantine. */
function turnedRed(before: Night, now: Night, night: number): Regression[] {
  return now.cells.flatMap((cell): Regression[] => {
    const old = before.cells.find(({ name }) => name === cell.name);
    const known = new Set(old?.tests.filter(isUnexcused).map(({ file, name }) => JSON.stringify([file, name])));
    const tests = cell.tests.filter((test) => isUnexcused(test) && !known.has(JSON.stringify([test.file, test.name])));
    if (tests.length > 0) return tests.map((test) => ({ kind: 'test', night, cell, test }));
    return isUnexcused(cell) && !(old && isUnexcused(old)) ? [{ kind: 'cell', night, cell }] : [];
  });
}

/** Regressions that are new with the last night, vote, and have not been triaged. */
export function newRegressions(nights: readonly Night[], trends: Trends, triage: readonly Triage[]): Regression[] {
  const last = nights.length - 1;
  return regressions(nights, trends).filter((one) => {
    if (one.kind === 'benchmark') return one.group.isNew && triageOfChange(triage, one.group, nights) === undefined;
    if (!one.cell.voting) return false;
    const finding = { cell: one.cell.name, since: nights[one.night]!.startedAt };
    const said = one.kind === 'test' ? triageOf(triage, { ...finding, test: one.test.name }) : undefined;
    return one.night === last && (said ?? triageOf(triage, finding)) === undefined;
  });
}
