import type { RunResult } from '../harness/events/result.ts';
import type { Attempt } from '../harness/events/types.ts';
import { type Case, casesOf, uuidOf } from './cases.ts';
import type { Report, ReportFile, ReportPlace } from './report.ts';
import { describeError, firstLine, visible } from './text.ts';

/** The folder, as Allure's own tools call it. */
const FOLDER = 'allure-results';

/**
 * Allure's results, one file per attempt of each test: those with one `historyId` are attempts of one test. Non-voting
 * failures are muted; a failed assertion is `failed` and any other failure `broken`, as in Allure.
 * Source: https://allurereport.org/docs/how-it-works-test-result-file/
 */
export function* allureFiles(run: RunResult, { folder }: ReportPlace): Iterable<ReportFile> {
  yield { path: `${FOLDER}/environment.properties`, content: environmentOf(run) };
  for (const one of casesOf(run, folder)) yield* resultsOf(one, run);
}

function* resultsOf(one: Case, run: RunResult): Iterable<ReportFile> {
  const { cell, test, outcome, startMs, stopMs } = one;
  const title = [cell.suite, test?.file ?? 'harness', outcome.name].map(visible);
  const fullName = title.join(' › ');
  const earlier = test?.attempts.slice(0, -1) ?? [];
  const tries = [
    ...earlier.map((attempt) => ({ ...ofAttempt(attempt), durationMs: attempt.durationMs })),
    { ...ofOutcome(one), durationMs: stopMs - startMs - earlier.reduce((sum, { durationMs }) => sum + durationMs, 0) },
  ];
  let start = startMs;
  for (const [index, { status, message, trace, durationMs }] of tries.entries()) {
    const uuid = uuidOf(`${run.run} ${one.id} ${index}`);
    const stop = Math.round(start + Math.max(0, durationMs));
    const printed = index === tries.length - 1 && test?.output ? `${uuid}-attachment.txt` : undefined;
    if (printed !== undefined) yield { path: `${FOLDER}/${printed}`, content: visible(test!.output!) };
    const result = {
      uuid,
      historyId: uuidOf(one.id),
      testCaseId: uuidOf(fullName),
      fullName,
      name: outcome.name,
      titlePath: title.slice(0, -1),
      status,
      statusDetails: {
        ...(message ? { message } : {}),
        ...(trace ? { trace } : {}),
        flaky: test?.verdict === 'flaky',
        muted: !cell.voting && (status === 'failed' || status === 'broken'),
      },
      stage: 'finished',
      start: Math.round(start),
      stop,
      labels: [
        ['parentSuite', cell.suite],
        ['suite', cell.name],
        ['subSuite', test?.file ?? 'harness'],
        ['framework', 'multiarch-harness'],
        ['host', cell.name],
        ['tag', cell.arch],
        ['tag', cell.target],
      ].map(([name, value]) => ({ name, value: visible(value!) })),
      parameters: [
        { name: 'arch', value: cell.arch },
        { name: 'target', value: cell.target },
        ...(cell.release ? [{ name: 'release', value: cell.release }] : []),
        ...(cell.facts ? [{ name: 'accelerator', value: cell.facts.accelerator, excluded: true }] : []),
      ],
      attachments: printed === undefined ? [] : [{ name: 'output', source: printed, type: 'text/plain' }],
      steps: [],
      links: [],
    };
    yield { path: `${FOLDER}/${uuid}-result.json`, content: `${JSON.stringify(result, undefined, 2)}\n` };
    start = stop;
  }
}

function ofAttempt({ verdict, errors }: Attempt) {
  const trace = errors.map(describeError).join('\n\n');
  const status = verdict === 'passed' ? 'passed' : verdict === 'failed' ? 'failed' : 'broken';
  return { status, message: firstLine(errors[0]?.message ?? ''), trace };
}

function ofOutcome({ test, outcome }: Case) {
  const last = test?.attempts.at(-1);
  // The outcome has the first attempt's error; this file is about the last attempt.
  if (last && (test?.attempts.length ?? 0) > 1) return ofAttempt(last);
  const status = { passed: 'passed', failure: 'failed', error: 'broken', skipped: 'skipped' }[outcome.state];
  return { status, message: outcome.message, trace: outcome.text };
}

function environmentOf(run: RunResult): string {
  const facts = {
    harness: run.harness,
    matrix: run.matrix.name,
    run: run.run,
    commit: run.git?.sha,
    control: run.control,
    host: `${run.host.cpu} (${run.host.arch})`,
  };
  const lines = Object.entries(facts).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${firstLine(value)}`],
  );
  return `${lines.join('\n')}\n`;
}

export const allure: Report = {
  name: 'allure',
  path: FOLDER,
  about: 'the folder of results from which Allure makes its report',
  files: allureFiles,
};
