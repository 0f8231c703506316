import type { RunResult } from '../../harness/events/result.ts';
import { firstLine } from '../text.ts';
import { titleOf } from './failures.ts';
import type { Failure, Group } from './failures-model.ts';
import { testId } from './ids.ts';
import { html, type Markup } from './markup.ts';
import { archsOf, RANKS, type Stack } from './table-model.ts';
import { sign } from './verdict.ts';

/** How many kinds of failure the first screen names. */
const NAMED = 5;

/** One line for each failure, with place and cause; for a green run, that nothing differs. */
export function brief(run: RunResult, groups: readonly Group[], stacks: readonly Stack[]): Markup | undefined {
  if (groups.length === 0) return html`<p class="lead">${agreement(run, stacks)}</p>`;
  const rest = groups.length - NAMED;
  return html`<ul class="brief">${groups.slice(0, NAMED).map(
    (group) =>
      html`<li>${sign(group[0].verdict)} <div><a href="#${group[0].id}">${titleOf(group)}</a> <b>${whereOf(group, run, stacks)}</b><div class="muted">${why(group)}</div></div></li>
`,
  )}</ul>${rest > 0 && html`<p class="muted"><a href="#failures">${rest} more ${rest === 1 ? 'kind' : 'kinds'} of failure</a></p>`}`;
}

/** `on arm64, and not on amd64, ppc64le`: where it fails, and where the same tests passed. */
function whereOf(group: Group, run: RunResult, stacks: readonly Stack[]): string {
  const archs = [...new Set(group.map(({ cell }) => cell.arch))];
  const failed = new Set(group.flatMap(({ cell, test }) => (test ? [testId(cell, test)] : [])));
  const rows = stacks.flatMap(({ rows }) => rows.filter(({ id }) => failed.has(id)));
  const passed = archsOf(run).filter(
    (arch, column) =>
      rows.length > 0 &&
      !archs.includes(arch) &&
      rows.every(({ results }) => ['passed', 'flaky'].includes(results[column]?.verdict ?? '')),
  );
  return `on ${archs.join(', ')}${passed.length > 0 ? `, and not on ${passed.join(', ')}` : ''}`;
}

function why(group: Group): string {
  const [{ errors, cell }] = group;
  const said = errors[0] ? firstLine(errors[0].message, 160) : (cell.reason ?? '');
  const where = [...new Set(group.map((failure: Failure) => failure.cell.name))];
  const cells = where.length > 2 ? `${where.length} cells` : where.join(', ');
  return said === titleOf(group) || said === '' ? cells : `${said} · ${cells}`;
}

/** Whether tests that ran on several architectures had the same result. */
function agreement({ cells }: RunResult, stacks: readonly Stack[]): string {
  const rows = stacks.flatMap(({ rows }) => rows);
  const shared = rows.filter(
    ({ results }) => results.filter((result) => result && result.verdict !== 'skipped').length > 1,
  );
  const differing = shared.filter(({ rank }) => rank === RANKS.differs).length;
  if (rows.length === 0) return cells.length === 0 ? '' : 'No test was planned.';
  if (shared.length === 0) return 'No test ran on more than one architecture.';
  if (differing > 0) return `${differing} of ${shared.length} tests differ between architectures.`;
  return `${shared.length === 1 ? 'The test' : `All ${shared.length} tests`} that ran on several architectures ended alike on all of them.`;
}
