import picomatch from 'picomatch';
import { cellName, parseCellName } from '../base/cell-name.ts';
import type { CellResult, Quarantine, TestResult } from './result.ts';
import type { QuarantineEntry } from './types.ts';

/** Passed runs in a row after which an entry is named as ready to leave. */
export const PASSES_TO_LEAVE = 10;

const DAY_MS = 86_400_000;

/** The facts that an entry is matched with. */
type CellName = Pick<CellResult, 'name' | 'arch' | 'target'>;
type TestLike = Pick<TestResult, 'file' | 'name'>;

/** Whether an entry is about a cell, or about some of its tests. */
export function matchesCell(entry: QuarantineEntry, { name, arch, target }: CellName): boolean {
  return (
    (entry.cell === undefined || isCell(entry.cell, name)) &&
    (entry.arch === undefined || entry.arch.some((one) => one === arch || arch.split('+').includes(one))) &&
    (entry.target === undefined || entry.target.includes(target))
  );
}

/** Whether an entry is about a test of a cell that it matches: by its name, or `file > name`. */
export function matchesTest(entry: QuarantineEntry, { file, name }: TestLike): boolean {
  if (entry.test === undefined) return false;
  const { test: glob } = entry;
  // Names are prose, so a star matches anything; a name always matches itself, even with special characters.
  const matches = picomatch(glob, { bash: true, dot: true });
  return [name, `${file} > ${name}`].some((one) => one === glob || matches(one));
}

/** As `--only` matches: a plus is a plus, and a glob without a release matches those of each. */
function isCell(glob: string, name: string): boolean {
  const matches = picomatch(glob.replace(/(?<!\\)\+(?!\()/g, '\\+'));
  const parts = parseCellName(name);
  return matches(name) || (parts !== undefined && matches(cellName({ ...parts, release: undefined })));
}

/**
 * Marks the quarantined failures of a cell. It is excused from voting if everything that failed in it is in quarantine
 * and not expired.
 * @param at when the run began, ISO 8601.
 */
export function withQuarantine(cell: CellResult, entries: readonly QuarantineEntry[], at: string): CellResult {
  const own = entries.filter((entry) => matchesCell(entry, cell));
  if (own.length === 0) return cell;
  const whole = own.find(({ test }) => test === undefined);
  const tests = cell.tests.map((test) => {
    const entry = own.find((one) => matchesTest(one, test));
    return entry ? { ...test, quarantine: stateOf(entry, at, passedOf(test.verdict)) } : test;
  });
  const quarantined: CellResult = {
    ...cell,
    tests,
    ...(whole ? { quarantine: stateOf(whole, at, passedOf(cell.verdict)) } : {}),
  };
  return isExcused(quarantined) ? { ...quarantined, excused: true } : quarantined;
}

function isExcused({ verdict, quarantine, tests, steps }: CellResult): boolean {
  if (passedOf(verdict) !== false) return false;
  if (quarantine?.state === 'active') return true;
  const failed = tests.filter(({ verdict }) => passedOf(verdict) === false);
  // A step with its own error says more than its tests.
  if (failed.length === 0 || steps.some(({ error }) => error !== undefined)) return false;
  return failed.every((test) => test.quarantine?.state === 'active');
}

/** Whether something passed; undefined: neither passed nor failed. */
export function passedOf(verdict: CellResult['verdict']): boolean | undefined {
  if (verdict === 'skipped' || verdict === 'unsupported') return undefined;
  return verdict === 'passed';
}

/** Days from a time's day (ISO 8601) to a day, in UTC; negative: days since it. */
export function daysUntil(day: string, at: string): number {
  return Math.round((Date.parse(day) - Date.parse(at.slice(0, 10))) / DAY_MS);
}

/** @param passed whether it passed in this run; undefined: it did not run. */
function stateOf(entry: QuarantineEntry, at: string, passed: boolean | undefined): Quarantine {
  const daysLeft = daysUntil(entry.expires, at);
  const passes = passed === false ? 0 : entry.passedBefore + (passed ? 1 : 0);
  return {
    link: entry.link,
    ...(entry.owner === undefined ? {} : { owner: entry.owner }),
    expires: entry.expires,
    where: entry.where,
    state: daysLeft < 0 ? 'expired' : 'active',
    daysLeft,
    passes,
    ...(passes >= PASSES_TO_LEAVE ? { ready: true } : {}),
  };
}

/** One line about a quarantined failure, for people. */
export function quarantineSentence({
  link,
  owner,
  expires,
  where,
  state,
  daysLeft,
  passes,
  ready,
}: Quarantine): string {
  const whose = owner === undefined ? link : `${link}, ${owner}`;
  const days = (count: number) => `${count} ${count === 1 ? 'day' : 'days'}`;
  if (ready) return `in quarantine (${whose}), and ready to leave it: it passed ${passes} runs in a row; ${where}`;
  if (state === 'expired')
    return `its quarantine expired ${days(-daysLeft)} ago, on ${expires} (${whose}): it votes again; ${where}`;
  const left = daysLeft === 0 ? 'today is the last day' : `${days(daysLeft)} left`;
  return `in quarantine until ${expires}, ${left} (${whose}): it does not vote`;
}
