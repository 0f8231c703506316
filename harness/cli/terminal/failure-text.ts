import { inRepository, placeOf as placeInRepository } from '../../../reports/words.ts';
import { lastLines, printable } from '../../base/text.ts';
import { labelOf } from '../../events/identity.ts';
import type { CellResult, ControlComparison, TestResult } from '../../events/result.ts';
import type { ErrorData } from '../../events/types.ts';
import { isBad, wentWrong } from '../../events/verdicts.ts';
import { codeFrame } from './code-frame.ts';
import type { Paint } from './paint.ts';

const COMPARED: Readonly<Record<ControlComparison, (control: string) => string>> = {
  'fails-on-control': (control) => `fails on ${control} too: not about the architecture`,
  'passes-on-control': (control) => `passes on ${control}: the architecture’s or its emulator’s`,
  'passes-here-now': () => 'passed when it was run again: chance',
  'machine-died': () => 'the machine died when it was run again',
  'control-unknown': (control) => `${control} has no result to compare with`,
};

/** The context for the text of a failure. */
export interface FailureContext {
  readonly control: string;
  readonly paint: Paint;
  /** The displayed path of the run's folder, for evidence; absent: evidence is not shown. */
  readonly folder?: string | undefined;
  /** The text of a file of the repository; undefined where it cannot be read. */
  readonly source?: ((path: string) => string | undefined) | undefined;
  /** Details that were already shown and are not repeated. */
  readonly shown: Set<string>;
}

/** Lines shown of a failed step; the report has all of it. */
const CAUSE_LINES = 4;
const CAUSE_WIDTH = 200;
/** Errors shown per test. */
const MAX_ERRORS = 5;
/** Lines shown of a difference. */
const DIFF_LINES = 24;
/** Failures shown with difference and code; a screen holds no more. */
const MAX_WHOLE = 10;

/** Failed tests, and those that never ran; if there are none, the step or the reason that decided the cell. */
export function failureLines(cell: CellResult, context: FailureContext): string[] {
  if (!isBad(cell)) return [];
  const tests = cell.tests.filter(wentWrong);
  const lines = tests.flatMap((test) => testFailure(cell, test, context));
  for (const test of cell.tests.filter(({ verdict }) => verdict === 'incomplete')) {
    const how = test.startedAt === undefined ? 'never ran' : 'never finished';
    lines.push(`  ${cell.name}  ${placeOf(cell, test)}  ${firstLine(labelOf(test))}  (${how})`);
  }
  for (const step of cell.steps) {
    if (step.error === undefined) continue;
    lines.push(`  ${cell.name}  ${step.step}  ${step.verdict}`, `    ${firstLine(step.error.message)}`);
    // The last output of a program is usually the cause.
    const because = lastLines((step.error.causes ?? []).join('\n'), CAUSE_LINES);
    lines.push(...because.map((line) => `      ${line.trim().slice(0, CAUSE_WIDTH)}`));
    if (step.error.hint !== undefined) lines.push(`    next: ${firstLine(step.error.hint)}`);
  }
  if (lines.length === 0 || (tests.length === 0 && !cell.steps.some(({ error }) => error)))
    lines.unshift(`  ${cell.name}  ${cell.verdict}`, `    ${firstLine(cell.reason ?? '')}`);
  return [...lines, ...evidence(cell, context)];
}

/** The most informative file, and the number of files. */
function evidence({ artifacts }: CellResult, { folder, paint }: FailureContext): string[] {
  if (folder === undefined || artifacts.length === 0) return [];
  const first = artifacts.find((file) => file.endsWith('/console.log')) ?? artifacts[0]!;
  const more = artifacts.length > 1 ? ` and ${artifacts.length - 1} more beside it` : '';
  return [paint('dim', `    evidence: ${printable(`${folder}/${first}`)}${more}`)];
}

function testFailure(cell: CellResult, test: TestResult, context: FailureContext): string[] {
  const { paint, control } = context;
  // A repeated test may have passed in the end.
  const errors = test.attempts.findLast((attempt) => attempt.errors.length > 0)?.errors ?? [];
  const compared = test.control === undefined ? '' : paint('dim', `  (${COMPARED[test.control](control)})`);
  return [
    `  ${cell.name}  ${placeOf(cell, test, errors[0])}  ${firstLine(labelOf(test))}${compared}`,
    ...(errors.length === 0 ? [`    ${test.verdict}`] : []),
    ...errors.slice(0, MAX_ERRORS).flatMap((error) => errorLines(cell, error, context)),
    ...(errors.length > MAX_ERRORS ? [`    and ${errors.length - MAX_ERRORS} more errors`] : []),
  ];
}

function errorLines(cell: CellResult, error: ErrorData, context: FailureContext): string[] {
  const because = (error.causes ?? [])
    .slice(0, CAUSE_LINES)
    .map((cause) => `      caused by: ${firstLine(cause).slice(0, CAUSE_WIDTH)}`);
  return [`    ${firstLine(error.message) || error.type}`, ...because, ...closely(cell, error, context)];
}

/** The difference and the code, unless shown before. */
function closely(cell: CellResult, error: ErrorData, { shown, source, paint }: FailureContext): string[] {
  const path = error.file === undefined ? undefined : inRepository(cell, error.file);
  const key = JSON.stringify([path, error.line, error.diff]);
  if (shown.has(key) || shown.size >= MAX_WHOLE) return [];
  const text = path === undefined ? undefined : source?.(path);
  const code = text === undefined || error.line === undefined ? [] : codeFrame(text, error.line, error.column);
  const diff = error.diff === undefined ? [] : diffLines(error.diff, paint);
  if (code.length + diff.length === 0) return [];
  shown.add(key);
  const frame = code.map((line) => (line.startsWith('>') ? line : paint('dim', line)));
  return [...diff, ...(diff.length > 0 && frame.length > 0 ? [''] : []), ...frame].map((line) => `      ${line}`);
}

/** Expected is green and received is red, as vitest has them. */
function diffLines(diff: string, paint: Paint): string[] {
  const lines = diff.split('\n').map(printable);
  const painted = lines
    .slice(0, DIFF_LINES)
    .map((line) => (line.startsWith('-') ? paint('green', line) : line.startsWith('+') ? paint('red', line) : line));
  return lines.length > DIFF_LINES ? [...painted, `… ${lines.length - DIFF_LINES} more lines`] : painted;
}

/** As editors and terminals open it: `suites/web/a.scenario.ts:3:13`. */
function placeOf(cell: CellResult, test: TestResult, error?: ErrorData): string {
  // A command has no file: its name is shown.
  if (test.step === 'tests' && error?.file === undefined) return test.file;
  return error?.file === undefined
    ? placeInRepository(cell, test)
    : placeInRepository(cell, { file: error.file }, error);
}

/** The first line of an error, safe to print. */
export function firstLine(message: string): string {
  return lastLines(message, Number.MAX_SAFE_INTEGER)[0]?.trim() ?? '';
}
