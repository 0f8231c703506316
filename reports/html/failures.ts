import { labelOf } from '../../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../../harness/events/result.ts';
import type { ErrorData } from '../../harness/events/types.ts';
import { firstLine, locationOf, truncate, withoutMessage } from '../text.ts';
import { controlSentence, errorsOf, formatTime, rerunCommand } from '../words.ts';
import { html, type Markup } from './markup.ts';
import { sign, verdictMark } from './verdict.ts';

/** Something that went wrong, for a card of its own. */
export interface Failure {
  readonly cell: CellResult;
  readonly verdict: CellResult['verdict'];
  readonly what: string;
  readonly errors: readonly ErrorData[];
  readonly test?: TestResult;
  /** Tests that never ran. */
  readonly missing?: readonly TestResult[];
}

/** Failed steps and tests, voting cells first, and cells that ended badly without either. */
export function failuresOf(run: RunResult): Failure[] {
  return run.cells
    .toSorted((a, b) => Number(b.voting) - Number(a.voting))
    .flatMap((cell) => {
      const steps = cell.steps.flatMap(({ step, verdict, error }) =>
        error ? [{ cell, verdict, what: `step ${step}`, errors: [error] }] : [],
      );
      const tests = cell.tests
        .filter(({ verdict }) => ['failed', 'infra', 'emulator', 'incomplete'].includes(verdict))
        .filter(({ verdict, startedAt }) => verdict !== 'incomplete' || startedAt !== undefined)
        .map((test) => ({ cell, verdict: test.verdict, what: labelOf(test), errors: errorsOf(test), test }));
      const missing = cell.tests.filter(
        ({ verdict, startedAt }) => verdict === 'incomplete' && startedAt === undefined,
      );
      const never = missing.length > 0 ? [neverRan(cell, missing)] : [];
      const bad = ['failed', 'infra', 'emulator', 'incomplete'].includes(cell.verdict);
      const alone = bad && steps.length + tests.length + never.length === 0;
      return [
        ...steps,
        ...tests,
        ...never,
        ...(alone ? [{ cell, verdict: cell.verdict, what: 'the cell itself', errors: [] }] : []),
      ];
    });
}

/** One card for all of them: a dead cell may leave a hundred. */
function neverRan(cell: CellResult, missing: readonly TestResult[]): Failure {
  const what = `${missing.length} ${missing.length === 1 ? 'test' : 'tests'} never ran`;
  return { cell, verdict: 'incomplete', what, errors: [], missing };
}

export function failuresSection(run: RunResult, failures: readonly Failure[]): Markup | undefined {
  if (failures.length === 0) return undefined;
  return html`<section id="failures"><h2>What went wrong</h2>${failures.map((failure) => card(failure, run))}</section>`;
}

function card({ cell, verdict, what, errors, test, missing = [] }: Failure, run: RunResult): Markup {
  const [error, ...others] = errors;
  const control = test && controlSentence(test, cell, run);
  const ending = test?.verdict === 'incomplete' ? 'It was started and never finished.' : undefined;
  return html`<article class="failure b-${verdict}">
<p class="where">${cell.name}${!cell.voting && html` <small class="tag">non-voting</small>`}${test && html` <span>${test.file}</span>`}</p>
<h3>${sign(verdict)} ${what}</h3>
${(ending || !error) && html`<p class="message">${[ending, cell.reason && `The cell: ${cell.reason}.`].filter(Boolean).join(' ')}</p>`}
${missing.length > 0 && html`<ul class="missing">${missing.map((one) => html`<li>${labelOf(one)} <span class="muted">${one.file}</span></li>`)}</ul>`}
${error && errorBody(error, control)}
${others.length > 0 && html`<p class="muted">Further attempts or errors: ${others.map((other) => firstLine(`${other.type}: ${other.message}`)).join(' · ')}</p>`}
<p class="run"><span>Run it again</span> <code>${rerunCommand(cell, run)}</code></p>
${cell.enter && html`<p class="run"><span>Enter the target</span> <code>${cell.enter}</code></p>`}
</article>
`;
}

function errorBody(error: ErrorData, control: string | undefined): Markup {
  const location = locationOf(error);
  const frames = withoutMessage(error);
  return html`<p class="message"><b>${error.type}</b> ${truncate(error.message, 4000)}</p>
${control && html`<p class="control">${control}</p>`}
${error.causes?.map((cause) => html`<p class="muted">caused by: ${truncate(cause, 1000)}</p>`)}
${location && html`<p class="muted">at <code>${location}</code></p>`}
${error.hint && html`<p class="hint">${error.hint}</p>`}
${error.diff && html`<pre class="diff">${truncate(error.diff, 20_000).split('\n').map(diffLine)}</pre>`}
${frames !== '' && html`<details><summary>Stack</summary><pre>${frames}</pre></details>`}
${
  error.consoleTail?.length &&
  html`<details open="open"><summary>Console, last ${error.consoleTail.length} ${error.consoleTail.length === 1 ? 'line' : 'lines'}</summary><pre class="console">${error.consoleTail.map((line) => truncate(line, 2000)).join('\n')}</pre></details>`
}`;
}

function diffLine(line: string): Markup {
  const kind = line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : 'same';
  return html`<span class="${kind}">${line}
</span>`;
}

/** Every test of every cell, folded away. */
export function testsSection(run: RunResult, anchorOf: (name: string) => string): Markup {
  return html`<section id="tests"><h2>All tests</h2>${run.cells.map(
    (
      cell,
    ) => html`<details id="${anchorOf(cell.name)}"><summary>${verdictMark(cell.verdict)} <b>${cell.name}</b> <span class="muted">${cell.tests.length === 0 ? (cell.reason ?? 'no test') : `${cell.tests.length} tests`}</span></summary>${
      cell.tests.length > 0 &&
      html`<table class="plain tests"><tbody>${cell.tests.map(
        (test) => html`<tr><td>${verdictMark(test.verdict)}</td><td>${labelOf(test)}<div class="muted">${test.file}${
          test.attempts.length > 1 &&
          ` · ${test.attempts.length} attempts: ${test.attempts.map(({ verdict }) => verdict).join(', ')}`
        }${test.note && ` · ${test.note}`}</div></td><td class="figure">${test.attempts.length > 0 || test.durationMs > 0 ? formatTime(test.durationMs) : ''}</td></tr>
`,
      )}</tbody></table>`
    }</details>
`,
  )}</section>`;
}
