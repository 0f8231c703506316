import { stringify } from 'yaml';
import type { CellResult, RunResult } from '../harness/events/result.ts';
import { type Case, casesOf } from './cases.ts';
import { oneFile, type ReportPlace } from './report.ts';

/**
 * TAP 14: a subtest for each cell. Non-voting failures are `# TODO`, which is TAP's word for a failure that does not
 * count.
 * Source: https://testanything.org/tap-version-14-specification.html
 */
export function renderTap(run: RunResult, { folder }: ReportPlace): string {
  const cells = Map.groupBy(casesOf(run, folder), ({ cell }) => cell);
  const lines = [...cells].flatMap(([cell, cases], index) => subtest(cell, cases, index + 1));
  return [`TAP version 14`, `1..${cells.size}`, ...lines, ''].join('\n');
}

function subtest(cell: CellResult, cases: readonly Case[], number: number): string[] {
  const inner = cases.flatMap((one, index) => pointOf(one, index + 1));
  const bad = cases.some(isBad);
  const todo = bad && !cell.voting ? ' # TODO non-voting' : '';
  return [
    `# Subtest: ${said(cell.name)}`,
    ...[`1..${cases.length}`, ...inner].map((line) => `    ${line}`),
    `${bad ? 'not ok' : 'ok'} ${number} - ${said(cell.name)}${todo}`,
    ...yamlBlock({ duration_ms: Math.round(cell.durationMs) }),
  ];
}

function isBad({ outcome }: Case): boolean {
  return outcome.state === 'failure' || outcome.state === 'error';
}

function pointOf(one: Case, number: number): string[] {
  const { cell, test, outcome } = one;
  const todo = isBad(one) && !cell.voting ? ' # TODO non-voting' : '';
  const directive = outcome.state === 'skipped' ? ` # SKIP ${said(outcome.message ?? '')}` : todo;
  const where = test ? `${test.file} › ${outcome.name}` : `harness › ${outcome.name}`;
  const point = `${isBad(one) ? 'not ok' : 'ok'} ${number} - ${said(where)}${directive}`;
  return [point, ...diagnostic(one)];
}

/** Duration and failure. */
function diagnostic(one: Case): string[] {
  const { test, outcome } = one;
  if (outcome.state === 'skipped') return [];
  return yamlBlock({
    duration_ms: Math.round(outcome.durationMs),
    ...(isBad(one)
      ? {
          message: outcome.message ?? '',
          severity: outcome.state === 'failure' ? 'fail' : 'error',
          ...(outcome.type ? { type: outcome.type } : {}),
          ...(outcome.text ? { detail: outcome.text } : {}),
          ...(outcome.place ? { at: outcome.place } : {}),
        }
      : {}),
    ...(test?.verdict === 'flaky' ? { flaky: outcome.reruns?.map(({ message }) => message) } : {}),
    ...(test?.control ? { control: test.control } : {}),
  });
}

/** Two columns in, as TAP has it. */
function yamlBlock(data: Readonly<Record<string, unknown>>): string[] {
  const yaml = stringify(data, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
  return ['---', ...yaml.trimEnd().split('\n'), '...'].map((line) => `  ${line}`);
}

/** A description: on one line, with `\` and `#` escaped, which begin a directive. */
function said(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().replaceAll(/[\\#]/g, '\\$&');
}

export const tap = oneFile({
  name: 'tap',
  path: 'results.tap',
  about: 'TAP 14, a subtest for each cell',
  render: renderTap,
});
