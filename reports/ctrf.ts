import { posix } from 'node:path';
import type { RunResult } from '../harness/events/result.ts';
import { type Case, casesOf, uuidOf } from './cases.ts';
import { oneFile, type ReportPlace } from './report.ts';
import { visible } from './text.ts';
import { errorsOf } from './words.ts';

const STATUSES = ['passed', 'failed', 'skipped', 'pending', 'other'] as const;
type Status = (typeof STATUSES)[number];

/**
 * The Common Test Report Format. Non-voting failures are `other`, because readers fail their job on `failed`; the
 * harness's own verdict is in `rawStatus`.
 * Source: https://ctrf.io/docs/specification/root
 */
export function renderCtrf(run: RunResult, { folder }: ReportPlace): string {
  const cases = casesOf(run, folder);
  const tests = cases.map((one) => testOf(one, folder));
  const start = Date.parse(run.startedAt);
  const report = {
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    reportId: uuidOf(run.run),
    runId: run.run,
    timestamp: run.startedAt,
    generatedBy: 'multiarch-harness',
    results: {
      tool: { name: 'multiarch-harness', version: run.harness },
      summary: {
        tests: tests.length,
        ...Object.fromEntries(STATUSES.map((word) => [word, tests.filter(({ status }) => status === word).length])),
        flaky: tests.filter(({ flaky }) => flaky).length,
        suites: new Set(tests.map(({ suite }) => suite.join('/'))).size,
        start,
        stop: start + Math.round(run.durationMs),
        duration: Math.round(run.durationMs),
      },
      tests,
      environment: {
        reportName: `${run.matrix.name} ${run.run}`,
        ...(run.git ? { commit: run.git.sha } : {}),
        osPlatform: 'linux',
        osRelease: run.host.kernel,
        healthy: run.state === 'passed' || run.state === 'failed',
        extra: { control: run.control, host: { arch: run.host.arch, cpu: run.host.cpu }, exitCode: run.exitCode },
      },
    },
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function testOf(one: Case, folder: string) {
  const { cell, test, outcome, startMs, stopMs } = one;
  const failed = test?.attempts.filter(({ verdict }) => verdict !== 'passed') ?? [];
  return {
    id: uuidOf(one.id),
    testId: one.id,
    name: `${outcome.name} [${visible(cell.name)}]`,
    status: statusOf(one),
    rawStatus: test?.verdict ?? cell.verdict,
    duration: Math.round(outcome.durationMs),
    start: startMs,
    stop: stopMs,
    suite: [visible(cell.name), visible(test?.file ?? 'harness')],
    ...(outcome.message ? { message: outcome.message } : {}),
    ...(outcome.text ? { trace: outcome.text } : {}),
    ...(outcome.place ? { filePath: visible(outcome.place.file) } : {}),
    ...(outcome.place?.line ? { line: outcome.place.line } : {}),
    tags: [cell.arch, cell.target, cell.suite, ...(cell.release ? [cell.release] : [])].map(visible),
    labels: { arch: cell.arch, target: cell.target, suite: visible(cell.suite), voting: cell.voting },
    parameters: { arch: cell.arch, target: cell.target, ...(cell.release ? { release: cell.release } : {}) },
    flaky: test?.verdict === 'flaky',
    ...(test && test.attempts.length > 1
      ? {
          retries: test.attempts.length - 1,
          // The last one is the test itself.
          retryAttempts: test.attempts.slice(0, -1).map((attempt, index) => ({
            attempt: index + 1,
            status: attempt.verdict === 'passed' ? 'passed' : 'failed',
            duration: Math.round(attempt.durationMs),
            ...(attempt.errors[0] ? { message: visible(attempt.errors[0].message) } : {}),
          })),
        }
      : {}),
    ...(test?.output ? { stdout: visible(test.output).split('\n') } : {}),
    ...(failed.length > 0 || outcome.state === 'error'
      ? {
          attachments: cell.artifacts.map((file) => ({
            name: visible(posix.basename(file)),
            contentType: 'text/plain',
            path: visible(posix.join(folder, file)),
          })),
        }
      : {}),
    extra: {
      cell: visible(cell.name),
      ...(cell.facts ? { accelerator: cell.facts.accelerator, cpu: visible(cell.facts.cpu) } : {}),
      ...(test?.control ? { control: test.control } : {}),
      ...(test && errorsOf(test)[0]?.diff ? { diff: visible(errorsOf(test)[0]!.diff!) } : {}),
    },
  };
}

function statusOf({ cell, test, outcome }: Case): Status {
  if (outcome.state === 'passed') return 'passed';
  if (outcome.state === 'skipped') return test?.verdict === 'incomplete' ? 'pending' : 'skipped';
  return cell.voting ? 'failed' : 'other';
}

export const ctrf = oneFile({
  name: 'ctrf',
  path: 'ctrf.json',
  about: 'the Common Test Report Format',
  render: renderCtrf,
});
