import { controlCostLine, countsLine } from '../../../reports/words.ts';
import { formatDuration, printable } from '../../base/text.ts';
import { failedText, proportion } from '../../bench/proportion.ts';
import { labelOf } from '../../events/identity.ts';
import { passedOf, quarantineSentence } from '../../events/quarantine.ts';
import { rerunCommand } from '../../events/rerun.ts';
import type { CellResult, Quarantine, RunResult, TestResult } from '../../events/result.ts';
import { STEPS } from '../../events/types.ts';

import { isBad, verdicts } from '../../events/verdicts.ts';
import { benchmarkTable } from './benchmark-table.ts';
import { failureLines, firstLine } from './failure-text.ts';
import type { Paint } from './paint.ts';
import { plural } from './plain.ts';

/** Context of the summary besides the run. */
export interface SummaryOptions {
  /** Where the reports are. */
  readonly reports?: string;
  /** The displayed path of the run's folder. */
  readonly folder?: string;
  /** The text of a file of the repository; undefined where it cannot be read. */
  readonly source?: (path: string) => string | undefined;
  /** Of the terminal; undefined without one. */
  readonly columns?: number | undefined;
}

/** The summary of a run on one screen: each cell's verdict, failures, counts, times, next steps. */
export function summaryOf(result: RunResult, paint: Paint, options: SummaryOptions = {}): string {
  const { reports, columns = Number.POSITIVE_INFINITY } = options;
  const context = { ...options, control: result.control, paint, shown: new Set<string>() };
  const failures = result.cells.flatMap((cell) => failureLines(cell, context));
  const benchmarks = benchmarkTable(result, paint, columns);
  const again = rerunOf(result);
  const cost = controlCostLine(result);
  const lines = [
    '',
    `${paint('bold', `Run ${result.run}`)} ${stateOf(result, paint)} after ${formatDuration(result.durationMs)}`,
    ...result.cells.map((cell, _index, all) => cellLine(cell, Math.max(...all.map((one) => one.name.length)), paint)),
    ...(failures.length > 0 ? ['', paint('bold', 'Failures'), ...failures] : []),
    ...repeated(result, paint),
    ...listed(result, 'flaky', 'Passed on a later attempt', paint, firstErrorOf),
    ...listedCells(result, paint),
    ...inQuarantine(result, paint),
    ...listed(result, 'skipped', 'Skipped', paint, ({ note = '' }) => note),
    ...(benchmarks.length > 0 ? ['', paint('bold', 'Benchmarks'), ...benchmarks] : []),
    '',
    `Tests    ${countsLine(result)}`,
    `Time     ${timesOf(result)}`,
    ...(cost === undefined ? [] : [`Control  ${cost}`]),
    ...(reports === undefined ? [] : [`Reports  ${reports}`]),
    ...(again === undefined ? [] : [`Again    ${again}`]),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function stateOf(result: RunResult, paint: Paint): string {
  return result.state === 'passed'
    ? paint('green', 'passed')
    : paint('red', `${result.state} (exit ${result.exitCode})`);
}

function cellLine(cell: CellResult, nameWidth: number, paint: Paint): string {
  const { mark, colour } = verdicts[cell.verdict];
  const passed = cell.tests.filter((test) => test.verdict === 'passed' || test.verdict === 'flaky').length;
  const tests = cell.tests.length === 0 ? '' : `${passed} of ${plural(cell.tests.length, 'test')} passed`;
  const parts = [
    paint(colour, `${mark} ${cell.name.padEnd(nameWidth)}  ${cell.verdict.padEnd(11)}`),
    formatDuration(cell.durationMs).padEnd(9),
    [tests, cell.facts?.accelerator, cell.voting ? '' : 'non-voting', cell.excused ? 'in quarantine' : '']
      .filter(Boolean)
      .join(', '),
  ];
  const enter = cell.enter === undefined ? '' : `\n      enter it with: ${cell.enter}`;
  return `  ${parts.join(' ').trimEnd()}${enter}`;
}

/** Tests of a verdict that is not a failure, one per line. */
function listed(
  result: RunResult,
  verdict: TestResult['verdict'],
  title: string,
  paint: Paint,
  say: (test: TestResult) => string,
): string[] {
  const lines = result.cells.flatMap((cell) =>
    cell.tests
      .filter((test) => test.verdict === verdict)
      .map((test) => {
        const said = firstLine(say(test));
        return `  ${cell.name}  ${test.file}  ${firstLine(labelOf(test))}${said === '' ? '' : paint('dim', `  (${said})`)}`;
      }),
  );
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines];
}

/** Cells that passed on a later machine, and what was wrong with the first. */
function listedCells({ cells }: RunResult, paint: Paint): string[] {
  const lines = cells.flatMap(({ name, earlier = [] }) =>
    earlier.map(
      ({ verdict, reason = '' }, index) => `  ${name}  machine ${index + 1}: ${verdict}  ${firstLine(reason)}`,
    ),
  );
  return lines.length === 0 ? [] : ['', paint('bold', 'Machines that failed, and were replaced'), ...lines];
}

/** Quarantine entries worth a line: failed, expired, or ready to leave. */
function inQuarantine({ cells }: RunResult, paint: Paint): string[] {
  const lines = cells.flatMap((cell) => [
    ...(cell.quarantine && tells(cell.quarantine, cell.verdict)
      ? [`  ${cell.name}  ${quarantineSentence(cell.quarantine)}`]
      : []),
    ...cell.tests.flatMap((test) =>
      test.quarantine && tells(test.quarantine, test.verdict)
        ? [`  ${cell.name}  ${test.file}  ${firstLine(labelOf(test))}  ${quarantineSentence(test.quarantine)}`]
        : [],
    ),
  ]);
  return lines.length === 0 ? [] : ['', paint('bold', 'Quarantine'), ...lines.map((line) => printable(line))];
}

function tells({ state, ready }: Quarantine, verdict: CellResult['verdict']): boolean {
  return ready === true || state === 'expired' || passedOf(verdict) === false;
}

function firstErrorOf({ attempts }: TestResult): string {
  return attempts.flatMap(({ errors }) => errors)[0]?.message ?? '';
}

/** How often each test of a run with `--repeat` failed. */
function repeated(result: RunResult, paint: Paint): string[] {
  if (result.selection?.options['repeat'] === undefined) return [];
  const lines = result.cells.flatMap((cell) =>
    cell.tests
      .filter(({ attempts }) => attempts.length > 0)
      .map((test) => {
        const failed = test.attempts.filter(({ verdict }) => verdict !== 'passed').length;
        const often = failedText(proportion(failed, test.attempts.length));
        return `  ${cell.name}  ${test.file}  ${firstLine(labelOf(test))}  ${paint(failed > 0 ? 'red' : 'green', often)}`;
      }),
  );
  return ['', paint('bold', 'Repeated'), ...lines];
}

/** Steps by their total time in all cells, which is more than the run took, because cells run side by side. */
function timesOf(result: RunResult): string {
  const steps = STEPS.map((step) => {
    const spent = result.cells.flatMap((cell) => cell.steps).filter((one) => one.step === step);
    return { step, ms: spent.reduce((sum, one) => sum + one.durationMs, 0) };
  });
  const shown = steps.filter(({ ms }) => ms > 0).sort((a, b) => b.ms - a.ms);
  const text = shown.map(({ step, ms }) => `${step} ${formatDuration(ms)}`).join(', ');
  return text === '' ? 'no step ran' : `${text}${result.cells.length > 1 ? ' (all cells together)' : ''}`;
}

/** The command that re-runs the failures: the failed tests, or the whole cell if it has none. */
function rerunOf(result: RunResult): string | undefined {
  const bad = result.cells.filter(isBad);
  const failed = bad.map(({ tests }) => tests.filter(isBad));
  const tests = failed.every((some) => some.length > 0) ? failed.flat() : [];
  return bad.length === 0 ? undefined : printable(rerunCommand(result, bad, tests));
}
