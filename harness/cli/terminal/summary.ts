import { formatDuration, lastLines, printable } from '../../base/text.ts';
import { failedText, proportion } from '../../bench/proportion.ts';
import { labelOf } from '../../events/identity.ts';
import { rerunCommand } from '../../events/rerun.ts';
import type { CellResult, ControlComparison, RunResult, TestResult } from '../../events/result.ts';
import { type ErrorData, STEPS } from '../../events/types.ts';
import { isBad, verdicts, wentWrong } from '../../events/verdicts.ts';
import type { Paint } from './paint.ts';
import { plural } from './plain.ts';

const COMPARED: Readonly<Record<ControlComparison, (control: string) => string>> = {
  'fails-on-control': (control) => `fails on ${control} too: not about the architecture`,
  'passes-on-control': (control) => `passes on ${control}: the architecture’s or its emulator’s`,
  'control-unknown': (control) => `${control} has no result to compare with`,
};

/** The end of a run on one screen: verdict of each cell, what failed, counts, where time went, what to do next. */
export function summaryOf(result: RunResult, paint: Paint, reports?: string): string {
  const failures = result.cells.flatMap((cell) => failuresOf(cell, result.control, paint));
  const again = rerunOf(result);
  const lines = [
    '',
    `${paint('bold', `Run ${result.run}`)} ${stateOf(result, paint)} after ${formatDuration(result.durationMs)}`,
    ...result.cells.map((cell, _index, all) => cellLine(cell, Math.max(...all.map((one) => one.name.length)), paint)),
    ...(failures.length > 0 ? ['', paint('bold', 'Failures'), ...failures] : []),
    ...repeated(result, paint),
    ...listed(result, 'flaky', 'Passed on a later attempt', paint, firstErrorOf),
    ...listed(result, 'skipped', 'Skipped', paint, ({ note = '' }) => note),
    '',
    `Tests    ${countsOf(result)}`,
    `Time     ${timesOf(result)}`,
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
    [tests, cell.facts?.accelerator, cell.voting ? '' : 'non-voting'].filter(Boolean).join(', '),
  ];
  const enter = cell.enter === undefined ? '' : `\n      enter it with: ${cell.enter}`;
  return `  ${parts.join(' ').trimEnd()}${enter}`;
}

/** How much is shown of what a step failed by; all of it is in the report. */
const CAUSE_LINES = 4;
const CAUSE_WIDTH = 200;

/** Failed tests, and those that never ran; when there is none, the step or the reason that decided the cell. */
function failuresOf(cell: CellResult, control: string, paint: Paint): string[] {
  if (!isBad(cell)) return [];
  const tests = cell.tests.filter(wentWrong);
  const lines = tests.flatMap((test) => testFailure(cell, test, control, paint));
  for (const test of cell.tests.filter(({ verdict }) => verdict === 'incomplete')) {
    const how = test.startedAt === undefined ? 'never ran' : 'never finished';
    lines.push(`  ${cell.name}  ${test.file}  ${firstLine(labelOf(test))}  (${how})`);
  }
  for (const step of cell.steps) {
    if (step.error === undefined) continue;
    lines.push(`  ${cell.name}  ${step.step}  ${step.verdict}`, `    ${firstLine(step.error.message)}`);
    // What a program said last is mostly why.
    const because = lastLines((step.error.causes ?? []).join('\n'), CAUSE_LINES);
    lines.push(...because.map((line) => `      ${line.trim().slice(0, CAUSE_WIDTH)}`));
    if (step.error.hint !== undefined) lines.push(`    next: ${firstLine(step.error.hint)}`);
  }
  if (lines.length === 0 || (tests.length === 0 && !cell.steps.some(({ error }) => error)))
    lines.unshift(`  ${cell.name}  ${cell.verdict}`, `    ${firstLine(cell.reason ?? '')}`);
  return lines;
}

/** How many errors of a test are shown. */
const MAX_ERRORS = 5;

function testFailure(cell: CellResult, test: TestResult, control: string, paint: Paint): string[] {
  // One that was repeated may have passed in the end.
  const errors = test.attempts.findLast((attempt) => attempt.errors.length > 0)?.errors ?? [];
  const compared = test.control === undefined ? '' : paint('dim', `  (${COMPARED[test.control](control)})`);
  return [
    `  ${cell.name}  ${placeOf(test, errors[0])}  ${firstLine(labelOf(test))}${compared}`,
    ...(errors.length === 0 ? [`    ${test.verdict}`] : []),
    ...errors.slice(0, MAX_ERRORS).flatMap(errorLines),
    ...(errors.length > MAX_ERRORS ? [`    and ${errors.length - MAX_ERRORS} more errors`] : []),
  ];
}

function errorLines({ message, type, causes = [] }: ErrorData): string[] {
  const because = causes
    .slice(0, CAUSE_LINES)
    .map((cause) => `      caused by: ${firstLine(cause).slice(0, CAUSE_WIDTH)}`);
  return [`    ${firstLine(message) || type}`, ...because];
}

/** As editors and terminals open it: `a.scenario.ts:3:13`. */
function placeOf(test: TestResult, error: ErrorData | undefined): string {
  if (error?.file === undefined) return test.file;
  return [error.file, error.line, error.column].filter((part) => part !== undefined).join(':');
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

/** Tests of a verdict that is no failure, one a line. */
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

function firstErrorOf({ attempts }: TestResult): string {
  return attempts.flatMap(({ errors }) => errors)[0]?.message ?? '';
}

/** The first line of an error, safe to print. */
function firstLine(message: string): string {
  return lastLines(message, Number.MAX_SAFE_INTEGER)[0]?.trim() ?? '';
}

function countsOf({ counts }: RunResult): string {
  const { planned, passed, failed, flaky, skipped, infra, neverRan } = counts;
  return (
    `${planned} planned: ${passed} passed, ${failed} failed, ${flaky} flaky, ${skipped} skipped, ` +
    `${infra} infra, ${neverRan} never ran`
  );
}

/** Steps by the time that all cells together spent in them: cells run side by side, so this is more than the run took. */
function timesOf(result: RunResult): string {
  const steps = STEPS.map((step) => {
    const spent = result.cells.flatMap((cell) => cell.steps).filter((one) => one.step === step);
    return { step, ms: spent.reduce((sum, one) => sum + one.durationMs, 0) };
  });
  const shown = steps.filter(({ ms }) => ms > 0).sort((a, b) => b.ms - a.ms);
  const text = shown.map(({ step, ms }) => `${step} ${formatDuration(ms)}`).join(', ');
  return text === '' ? 'no step ran' : `${text}${result.cells.length > 1 ? ' (all cells together)' : ''}`;
}

/** The command that runs what went wrong again: the tests that failed, unless a cell has none of them. */
function rerunOf(result: RunResult): string | undefined {
  const bad = result.cells.filter(isBad);
  const failed = bad.map(({ tests }) => tests.filter(isBad));
  const tests = failed.every((some) => some.length > 0) ? failed.flat() : [];
  return bad.length === 0 ? undefined : printable(rerunCommand(result, bad, tests));
}
