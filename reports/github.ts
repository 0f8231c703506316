import { error as annotateError, warning as annotateWarning, summary } from '@actions/core';
import { labelOf } from '../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import type { ErrorData } from '../harness/events/types.ts';
import { wentWrong } from '../harness/events/verdicts.ts';
import { firstLine, truncate, uncommanded, visible } from './text.ts';
import { errorsOf, inRepository, rerunCommand } from './words.ts';

/** GitHub shows ten errors and ten warnings per step. */
const MAX_ANNOTATIONS = 10;

type Env = Readonly<Record<string, string | undefined>>;

/** An annotation at a place in a file, which GitHub shows beside the code. */
export interface Annotation {
  /** `warning`: a test that passed on a later attempt, or a non-voting failure. */
  readonly level: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
  readonly file?: string;
  readonly startLine?: number;
  readonly startColumn?: number;
}

/** Appends Markdown to the step's summary. Does nothing and returns false outside of GitHub Actions. */
export async function writeJobSummary(markdown: string, env: Env = process.env): Promise<boolean> {
  if (!env['GITHUB_STEP_SUMMARY']) return false;
  await summary.addRaw(markdown, true).write();
  return true;
}

/** The most important annotations, ten errors and ten warnings at most. If there are more, the last one counts the rest. */
export function annotationsOf(run: RunResult): Annotation[] {
  const all = run.cells.flatMap((cell) => {
    const level = cell.voting ? 'error' : 'warning';
    const errorOf = (test: TestResult) => errorsOf(test)[0];
    return [
      ...cell.steps.flatMap(({ step, error }) => (error ? [annotation(run, cell, `step ${step}`, error, level)] : [])),
      ...cell.tests.filter(wentWrong).map((test) => annotation(run, cell, labelOf(test), errorOf(test), level, test)),
      ...cell.tests
        .filter(({ verdict }) => verdict === 'flaky')
        .map((test) => annotation(run, cell, `flaky: ${labelOf(test)}`, errorOf(test), 'warning', test)),
    ];
  });
  return (['error', 'warning'] as const).flatMap((level) => atMost(all.filter((one) => one.level === level)));
}

function atMost(annotations: readonly Annotation[]): readonly Annotation[] {
  if (annotations.length <= MAX_ANNOTATIONS) return annotations;
  const shown = annotations.slice(0, MAX_ANNOTATIONS - 1);
  const [{ level }] = shown as [Annotation];
  const what = level === 'error' ? 'failures' : 'warnings';
  return [
    ...shown,
    {
      level,
      title: `More ${what}`,
      message: `${annotations.length - shown.length} more ${what}: see the job summary.`,
    },
  ];
}

/** Prints the annotations as workflow commands. Nothing is printed outside of GitHub Actions. */
export function writeAnnotations(run: RunResult, env: Env = process.env): number {
  if (env['GITHUB_ACTIONS'] !== 'true') return 0;
  const annotations = annotationsOf(run);
  // The package escapes newlines and `%`, so that a message stays within its own command.
  for (const { level, message, ...properties } of annotations)
    (level === 'error' ? annotateError : annotateWarning)(message, properties);
  return annotations.length;
}

function annotation(
  run: RunResult,
  cell: CellResult,
  what: string,
  error: ErrorData | undefined,
  level: Annotation['level'],
  test?: TestResult,
): Annotation {
  const message = error ? `${error.type}: ${truncate(error.message, 2000)}` : `the cell is ${cell.verdict}`;
  return {
    level,
    title: firstLine(`${cell.name} › ${what}`, 200),
    // Not at a line's start even if something splits the lines again.
    message: uncommanded(`${visible(message)}\nRun it again: ${rerunCommand(cell, run, test)}`),
    ...placeOf(cell, error),
  };
}

/** GitHub shows annotations only on files of the repository. */
function placeOf(cell: CellResult, { file, line, column }: Partial<ErrorData> = {}): Partial<Annotation> {
  const path = file === undefined ? undefined : inRepository(cell, file);
  if (path === undefined) return {};
  return {
    file: visible(path),
    ...(line === undefined ? {} : { startLine: line }),
    ...(column === undefined ? {} : { startColumn: column }),
  };
}
