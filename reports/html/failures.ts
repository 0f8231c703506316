import { labelOf, testKey } from '../../harness/events/identity.ts';
import { quarantineSentence } from '../../harness/events/quarantine.ts';
import { rerunCommand } from '../../harness/events/rerun.ts';
import type { CellResult, RunResult, TestResult } from '../../harness/events/result.ts';
import type { ErrorData } from '../../harness/events/types.ts';
import type { Since } from '../since.ts';
import { firstLine, truncate, visible, withoutMessage } from '../text.ts';
import { transcript } from '../transcript.ts';
import { controlSentence, formatTime, placeOf, triesSentence } from '../words.ts';
import { evidenceLinks } from './evidence.ts';
import type { Failure, Group } from './failures-model.ts';
import { foldedLines, lines } from './folded.ts';
import { cellId, testId } from './ids.ts';
import { html, type Markup } from './markup.ts';
import { permalink } from './permalink.ts';
import { sinceSentence } from './since-words.ts';
import { sign } from './verdict.ts';

/** Information beyond the run itself. */
export interface Known {
  readonly run: RunResult;
  readonly since: (failure: Failure) => Since | undefined;
}

/** Failures of a group that are shown; the others are folded. */
const SHOWN_AT_FIRST = 8;

/** A card for each kind of failure. */
export function failuresSection(groups: readonly Group[], known: Known): Markup | undefined {
  if (groups.length === 0) return undefined;
  return html`<section id="failures" aria-labelledby="failures-title"><h2 id="failures-title">What went wrong</h2>
${groups.map((group) => card(group, known))}</section>`;
}

/** The same for tests that passed on a later attempt: the messages of earlier attempts. */
export function flakySection(groups: readonly Group[], known: Known): Markup | undefined {
  if (groups.length === 0) return undefined;
  return html`<section id="flaky" aria-labelledby="flaky-title"><h2 id="flaky-title">Passed on a later attempt</h2>
${groups.map((group) => card(group, known))}</section>`;
}

/** What became of the machines of cells that began again on a fresh one, with their consoles. */
export function replacedSection(groups: readonly Group[], { run }: Known): Markup | undefined {
  if (groups.length === 0) return undefined;
  // How long something has failed is asked of results, and these are none.
  const known = { run, since: () => undefined };
  return html`<section id="replaced" aria-labelledby="replaced-title"><h2 id="replaced-title">Machines that failed, and were replaced</h2>
${groups.map((group) => card(group, known))}</section>`;
}

function card(group: Group, known: Known): Markup {
  const [first, ...others] = group;
  const [error] = first.errors;
  const alone = others.length === 0;
  const parts = [
    head(group),
    ...(alone ? about(first, known) : []),
    error ? message(error) : html`<p class="message">${ending(first)}</p>`,
    alone ? undefined : occurrences(group, known),
    ...(first.missing ? group.map(missingTests) : []),
    ...(error ? details(error, first.cell) : []),
    attempts(first),
    first.test?.output === undefined ? undefined : foldedLines('Output of the test', first.test.output),
    ...transcripts(first),
    ...consoles(group),
    evidence(group),
    html`<p class="run"><span>Run it again</span> <code>${visible(rerunCommand(known.run, cellsOf(group), testsOf(group)))}</code></p>`,
    ...cellsOf(group).map(({ enter }) =>
      enter === undefined ? undefined : html`<p class="run"><span>Enter the target</span> <code>${enter}</code></p>`,
    ),
  ];
  return html`<article class="failure b-${first.verdict}"${alone && html` id="${first.id}"`}>
${parts
  .filter((part) => part !== undefined)
  .map(
    (part) => html`${part}
`,
  )}</article>
`;
}

function head(group: Group): Markup {
  const [first, ...others] = group;
  if (others.length === 0)
    return html`<h3>${sign(first.verdict)} ${first.what} ${permalink(first.id, first.what)}</h3>`;
  const title = titleOf(group);
  return html`<h3>${sign(first.verdict)} ${title} <small>${places(group)}</small></h3>`;
}

/** The title of a group of several: its error, or what they have in common. */
export function titleOf([first, ...others]: Group): string {
  if (first.missing && others.length > 0)
    return `${[first, ...others].reduce((sum, { missing = [] }) => sum + missing.length, 0)} tests never ran`;
  if (!first.test && first.errors.length === 0 && others.length > 0)
    return `${others.length + 1} cells are ${first.verdict}`;
  if (others.every(({ what }) => what === first.what)) return first.what;
  const [error] = first.errors;
  return error ? firstLine(error.message) || error.type : ending(first);
}

/** `41 tests in 2 cells`. */
function places(group: Group): string {
  const cells = cellsOf(group).length;
  const tests = group.filter(({ test }) => test).length;
  const inCells = `${cells} ${cells === 1 ? 'cell' : 'cells'}`;
  return tests === 0 ? inCells : `${tests} ${tests === 1 ? 'result' : 'results'} in ${inCells}`;
}

function about(failure: Failure, known: Known): (Markup | undefined)[] {
  const { cell, test } = failure;
  const control = test && controlSentence(test, cell, known.run);
  const tries = test && triesSentence(test);
  const since = known.since(failure);
  const quarantine = test?.quarantine ?? cell.quarantine;
  return [
    html`<p class="where"><a href="#${cellId(cell.name)}">${cell.name}</a>${!cell.voting && html` <small class="tag">non-voting</small>`}${test && html` ${linkTo(rowOf(cell, test, known), placeOf(cell, test), true)}`}</p>`,
    control === undefined
      ? undefined
      : html`<p class="control">${control}${tries && html` <span class="muted">${tries}</span>`}</p>`,
    since && html`<p class="since">${sinceSentence(since)}</p>`,
    quarantine && html`<p class="since">${quarantineSentence(quarantine)}</p>`,
  ];
}

/** The address of a test's row; one that only an earlier machine planned has none. */
function rowOf(cell: CellResult, test: TestResult, { run }: Known): string | undefined {
  const key = testKey(test);
  const known = run.cells.find(({ name }) => name === cell.name)?.tests.some((one) => testKey(one) === key);
  return known ? `#${testId(cell, test)}` : undefined;
}

function linkTo(href: string | undefined, text: string, muted = false): Markup {
  const style = muted ? html` class="muted"` : html``;
  return href === undefined ? html`<span${style}>${text}</span>` : html`<a${style} href="${href}">${text}</a>`;
}

function occurrences(group: Group, known: Known): Markup {
  const item = (failure: Failure): Markup => {
    const { cell, test, what, id } = failure;
    const control = test && controlSentence(test, cell, known.run);
    const since = known.since(failure);
    return html`<li id="${id}"><a href="#${cellId(cell.name)}">${cell.name}</a>${!cell.voting && html` <small class="tag">non-voting</small>`} ${test ? html`${linkTo(rowOf(cell, test, known), labelOf(test))} <span class="muted">${placeOf(cell, test)}</span>` : what} ${permalink(id, what)}${control && html`<div class="muted">${control}</div>`}${since && html`<div class="muted">${sinceSentence(since)}</div>`}</li>
`;
  };
  const rest = group.slice(SHOWN_AT_FIRST);
  return html`<ul class="occurrences">${group.slice(0, SHOWN_AT_FIRST).map(item)}</ul>
${rest.length > 0 && html`<details><summary>${rest.length} more</summary><ul class="occurrences">${rest.map(item)}</ul></details>`}`;
}

/** The text if there is no error. */
function ending({ test, cell, missing }: Failure): string {
  const never = test?.verdict === 'incomplete' ? 'It was started and never finished.' : undefined;
  const why = cell.reason ?? (missing ? 'nothing says why' : undefined);
  return [never, why && `The cell: ${why}.`].filter(Boolean).join(' ');
}

function message(error: ErrorData): Markup {
  return html`<p class="message"><b>${error.type}</b> ${truncate(error.message, 4000)}</p>${
    error.hint &&
    html`
<p class="hint">${error.hint}</p>`
  }`;
}

function details(error: ErrorData, cell: CellResult): (Markup | undefined)[] {
  const frames = withoutMessage(error);
  return [
    ...(error.causes ?? []).map((cause) => html`<p class="muted">caused by: ${truncate(cause, 1000)}</p>`),
    error.file === undefined
      ? undefined
      : html`<p class="muted">at <code>${placeOf(cell, { file: error.file }, error)}</code></p>`,
    error.diff ? lines('Difference', truncate(error.diff, 20_000).split('\n').map(diffLine)) : undefined,
    frames === '' ? undefined : foldedLines('Stack', frames),
  ];
}

/** As in vitest: expected is green, received is red. */
function diffLine(line: string): Markup {
  const kind = line.startsWith('+') ? 'received' : line.startsWith('-') ? 'expected' : 'same';
  return html`<span class="${kind}">${line}
</span>`;
}

/** Each attempt of a retried test, and all errors after the first. */
function attempts({ test, errors }: Failure): Markup | undefined {
  if (!test || (test.attempts.length < 2 && errors.length < 2)) return undefined;
  return html`<ol class="attempts">${test.attempts.map(
    (attempt, index) =>
      html`<li>${test.attempts.length > 1 && html`Attempt ${index + 1}: `}${attempt.verdict} after ${formatTime(attempt.durationMs)}${attempt.errors.map(
        (error) => html`<div class="message"><b>${error.type}</b> ${truncate(error.message, 2000)}</div>`,
      )}</li>`,
  )}</ol>`;
}

/** Output and commands of each attempt, and the machine's console at the time. */
function transcripts({ test }: Failure): Markup[] {
  const all = test?.attempts ?? [];
  return all.flatMap((attempt, index) => {
    const text = transcript(attempt);
    const who = all.length > 1 ? `attempt ${index + 1}` : 'it';
    return text === '' ? [] : [foldedLines(`What ${who} printed and ran`, text)];
  });
}

function missingTests({ cell, missing = [], id }: Failure): Markup {
  const list = html`<ul class="missing">${missing.map((test) => html`<li><a href="#${testId(cell, test)}">${labelOf(test)}</a> <span class="muted">${test.file}</span></li>`)}</ul>`;
  return missing.length <= 2 * SHOWN_AT_FIRST
    ? list
    : html`<details><summary>${missing.length} tests of ${cell.name}</summary><div id="${id}-tests">${list}</div></details>`;
}

/** The last lines of the consoles of some of the cells. */
function consoles(group: Group): Markup[] {
  const tails = group.flatMap(({ cell, errors }) => {
    const tail = errors.find(({ consoleTail }) => consoleTail?.length)?.consoleTail;
    return tail ? [{ cell, tail }] : [];
  });
  const one = [...Map.groupBy(tails, ({ cell }) => cell.name).values()].map(([first]) => first!);
  return one
    .slice(0, SHOWN_AT_FIRST)
    .map(({ cell, tail }, index) =>
      foldedLines(
        `Console of ${cell.name}, last ${tail.length} ${tail.length === 1 ? 'line' : 'lines'}`,
        tail.map((line) => truncate(line, 2000)).join('\n'),
        { open: index === 0, kind: 'console' },
      ),
    );
}

function evidence(group: Group): Markup | undefined {
  const cells = cellsOf(group).filter(({ artifacts }) => artifacts.length > 0);
  if (cells.length === 0) return undefined;
  const of = (cell: CellResult) =>
    html`<div class="evidence"><span>Evidence${cells.length > 1 && html` of ${cell.name}`}</span> ${evidenceLinks(cell)}</div>`;
  const rest = cells.slice(SHOWN_AT_FIRST);
  return html`${cells.slice(0, SHOWN_AT_FIRST).map(of)}${rest.length > 0 && html`<details><summary>Evidence of ${rest.length} more cells</summary>${rest.map(of)}</details>`}`;
}

/** The failed tests, if nothing else failed. */
function testsOf(group: Group): TestResult[] {
  return group.every(({ test }) => test !== undefined) ? group.map(({ test }) => test!) : [];
}

function cellsOf(group: Group): CellResult[] {
  return [...new Set(group.map(({ cell }) => cell))];
}
