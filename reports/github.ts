import { error as annotateError, summary } from '@actions/core';
import { labelOf } from '../harness/events/identity.ts';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import type { ErrorData } from '../harness/events/types.ts';
import { wentWrong } from '../harness/events/verdicts.ts';
import { firstLine, truncate, uncommanded, visible } from './text.ts';
import { inRepository, rerunCommand } from './words.ts';

/** GitHub shows ten annotations of a step. */
const MAX_ANNOTATIONS = 10;

type Env = Readonly<Record<string, string | undefined>>;

/** An error at a place in a file, as GitHub shows it beside the code. */
export interface Annotation {
  readonly title: string;
  readonly message: string;
  readonly file?: string;
  readonly startLine?: number;
  readonly startColumn?: number;
}

/** Appends Markdown to the step's summary. False, and nothing done, outside of GitHub Actions. */
export async function writeJobSummary(markdown: string, env: Env = process.env): Promise<boolean> {
  if (!env['GITHUB_STEP_SUMMARY']) return false;
  await summary.addRaw(markdown, true).write();
  return true;
}

/**
 * The most telling annotations, ten at most: voting cells first. When there are more, the last one counts the rest.
 */
export function annotationsOf(run: RunResult): Annotation[] {
  const all = run.cells
    .toSorted((a, b) => Number(b.voting) - Number(a.voting))
    .flatMap((cell) => [
      ...cell.steps.flatMap(({ step, error }) => (error ? [annotation(run, cell, `step ${step}`, error)] : [])),
      ...cell.tests
        .filter(wentWrong)
        .map((test) =>
          annotation(run, cell, labelOf(test), test.attempts.find(({ errors }) => errors.length > 0)?.errors[0]),
        ),
    ]);
  if (all.length <= MAX_ANNOTATIONS) return all;
  const shown = all.slice(0, MAX_ANNOTATIONS - 1);
  return [
    ...shown,
    { title: 'More failures', message: `${all.length - shown.length} more failures: see the job summary.` },
  ];
}

/** Prints the annotations as workflow commands. Nothing is printed outside of GitHub Actions. */
export function writeAnnotations(run: RunResult, env: Env = process.env): number {
  if (env['GITHUB_ACTIONS'] !== 'true') return 0;
  const annotations = annotationsOf(run);
  // The package escapes newlines and `%`, so that a message stays within its own command.
  for (const { message, ...properties } of annotations) annotateError(message, properties);
  return annotations.length;
}

function annotation(run: RunResult, cell: CellResult, what: string, error: ErrorData | undefined): Annotation {
  const message = error ? `${error.type}: ${truncate(error.message, 2000)}` : `the cell is ${cell.verdict}`;
  return {
    title: firstLine(`${cell.name} › ${what}`, 200),
    // Not at a line's start even if something splits the lines again.
    message: uncommanded(`${visible(message)}\nRun it again: ${rerunCommand(cell, run)}`),
    ...placeOf(cell, error),
  };
}

/** GitHub takes files as the repository has them, and shows others nowhere. */
function placeOf(cell: CellResult, { file, line, column }: Partial<ErrorData> = {}): Partial<Annotation> {
  const path = file === undefined ? undefined : inRepository(cell, file);
  if (path === undefined) return {};
  return {
    file: visible(path),
    ...(line === undefined ? {} : { startLine: line }),
    ...(column === undefined ? {} : { startColumn: column }),
  };
}
