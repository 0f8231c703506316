import { compareToControl } from '../harness/bench/comparison.ts';
import { labelOf } from '../harness/events/identity.ts';
import { comparePackages } from '../harness/events/packages.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import type { ErrorData } from '../harness/events/types.ts';
import { verdicts, wentWrong } from '../harness/events/verdicts.ts';
import { block, code, inline, table } from './markdown.ts';
import { firstLine, locationOf, truncate } from './text.ts';
import {
  acceleratorOf,
  acceleratorWords,
  controlCostLine,
  controlSentence,
  countsLine,
  errorsOf,
  formatAmount,
  formatInterval,
  formatRatio,
  formatThroughput,
  formatTime,
  packagesSentence,
  rerunCommand,
  stateWords,
  triesSentence,
} from './words.ts';

/** GitHub drops a step's summary of more than 1 MiB; this stays below it whatever its own text adds. */
export const SUMMARY_BYTES = 900_000;

export interface SummaryOptions {
  /** Bytes of UTF-8. */
  readonly maxBytes?: number;
  /** The address of the run's page. */
  readonly pageUrl?: string | undefined;
}

/** The run as Markdown for a GitHub job summary. Text that does not fit is left out and counted at the end. */
export function renderSummary(run: RunResult, options: SummaryOptions = {}): string {
  const sections = [
    headline(run, options.pageUrl),
    ...failures(run),
    cellsTable(run),
    timings(run),
    packages(run),
  ].filter((section) => section !== '');
  return withinLimit(sections, options.maxBytes ?? SUMMARY_BYTES);
}

function headline(run: RunResult, pageUrl: string | undefined): string {
  const cost = controlCostLine(run);
  const cells = `${run.cells.length} ${run.cells.length === 1 ? 'cell' : 'cells'}`;
  return [
    `## ${run.state === 'passed' ? '✅' : run.state === 'failed' ? '❌' : '⚠️'} ${stateWords[run.state]} · ${inline(run.matrix.name)}`,
    `**${countsLine(run)}** · ${cells} in ${formatTime(run.durationMs)} · exit code ${run.exitCode}`,
    ...(pageUrl !== undefined && /^https?:\/\/[^\s()<>]+$/.test(pageUrl) ? [`**[Open the page](${pageUrl})**`] : []),
    ...(cost === undefined ? [] : [`Control leg: ${cost}.`]),
    ...(run.warnings ?? []).map((warning) => `⚠️ ${inline(warning)}`),
    `Run ${code(run.run)} of harness ${inline(run.harness)} on ${inline(run.host.cpu)} (${inline(run.host.arch)}, ${run.host.cores} cores), control architecture ${run.control}.`,
  ].join('\n\n');
}

function cellsTable(run: RunResult): string {
  const rows = run.cells.map((cell) => {
    const count = (verdict: TestResult['verdict']) =>
      String(cell.tests.filter((test) => test.verdict === verdict).length);
    return [
      `${verdicts[cell.verdict].sign} ${cell.verdict}${cell.voting ? '' : ' (non-voting)'}`,
      code(cell.name),
      cell.facts ? acceleratorWords[cell.facts.accelerator] : '',
      count('passed'),
      count('failed'),
      count('flaky'),
      count('skipped'),
      count('incomplete'),
      formatTime(cell.durationMs),
      inline(firstLine(cell.reason ?? '')),
    ];
  });
  if (rows.length === 0) return 'No cell was planned.';
  const head = ['Verdict', 'Cell', 'Runs on', 'Passed', 'Failed', 'Flaky', 'Skipped', 'Never ran', 'Time', 'Why'];
  return `### Cells\n\n${table(head, rows, [3, 4, 5, 6, 7, 8])}`;
}

function timings(run: RunResult): string {
  const comparisons = compareToControl(run.cells, run.control);
  if (comparisons.length === 0) return '';
  const notes = new Set<string>();
  const rows = comparisons.flatMap((benchmark) =>
    benchmark.results.map((result, index) => {
      if (result.toControl.state === 'compared' && result.toControl.words)
        notes.add(`${result.arch} and ${run.control} (${acceleratorOf(result)}): ${result.toControl.words}.`);
      if (result.toControl.state === 'not-comparable') notes.add(`${result.toControl.reason}.`);
      return [
        index === 0
          ? `${inline(benchmark.name)}<br>${inline([benchmark.suite, benchmark.target, benchmark.release].filter(Boolean).join(', '))}`
          : '',
        result.arch,
        acceleratorOf(result),
        formatAmount(result.summary.median, benchmark.clock),
        formatInterval(result.summary.interval, benchmark.clock),
        result.throughput === undefined
          ? ''
          : inline(formatThroughput(result.throughput, benchmark.per ?? 'operation')),
        formatRatio(result.toControl),
        `${result.summary.count}${result.summary.outliers.length > 0 ? `, ${result.summary.outliers.length} far out` : ''}`,
      ];
    }),
  );
  const head = [
    'Benchmark',
    'Architecture',
    'Runs on',
    'Median',
    '95 % interval',
    'Throughput',
    `Time relative to ${run.control}`,
    'Samples',
  ];
  return `### Timing\n\n${table(head, rows, [3, 4, 5, 6, 7])}${[...notes].map((note) => `\n\n${inline(note)}`).join('')}`;
}

/** The versions of packages that suites name, and of those that differ between architectures. */
function packages(run: RunResult): string {
  const releases = comparePackages(run.cells);
  if (releases.length === 0) return '';
  const parts = releases.flatMap((release) => {
    const rows = release.rows.map(({ name, versions, differs }) => [
      `${inline(name)}${differs ? ' ≠' : ''}`,
      ...release.archs.map((arch) => inline(versions[arch] ?? '–')),
    ]);
    return [
      inline(packagesSentence(release)),
      ...(rows.length > 0 ? [table(['Package', ...release.archs], rows, [])] : []),
    ];
  });
  return `### Packages\n\n${parts.join('\n\n')}`;
}

/** One section for each failed step and test; voting cells first. */
function failures(run: RunResult): string[] {
  const cells = run.cells.toSorted((a, b) => Number(b.voting) - Number(a.voting));
  const sections = cells.flatMap((cell) => [
    ...cell.steps.flatMap(({ step, error }) => (error ? [failure(run, cell, `step ${step}`, [error])] : [])),
    ...cell.tests.filter(wentWrong).map((test) => failure(run, cell, labelOf(test), errorsOf(test), test)),
    ...neverRan(cell),
  ]);
  return [
    ...titled('What went wrong', sections),
    ...titled(
      'Passed on a later attempt',
      cells.flatMap((cell) => listed(cell, 'flaky', firstErrorOf)),
    ),
    ...titled(
      'Skipped',
      cells.flatMap((cell) => listed(cell, 'skipped', ({ note = '' }) => note)),
    ),
  ];
}

function titled(title: string, [first, ...others]: readonly string[]): string[] {
  return first === undefined ? [] : [`### ${title}\n\n${first}`, ...others];
}

/** A cell's tests of a verdict, each with its text; as many per section as fit on a page. */
function listed(cell: CellResult, verdict: TestResult['verdict'], say: (test: TestResult) => string): string[] {
  const tests = cell.tests.filter((test) => test.verdict === verdict);
  const lines = tests.map((test) => {
    const said = firstLine(say(test));
    return `- ${inline(`${test.file} › ${labelOf(test)}`)}${said === '' ? '' : `: ${inline(said)}`}`;
  });
  const pages = Array.from({ length: Math.ceil(lines.length / 100) }, (_, page) =>
    lines.slice(page * 100, page * 100 + 100),
  );
  return pages.map((page) => `#### ${verdicts[verdict].sign} ${inline(cell.name)}\n\n${page.join('\n')}`);
}

function firstErrorOf(test: TestResult): string {
  const [error] = errorsOf(test);
  return error ? `${error.type}: ${error.message}` : '';
}

function neverRan(cell: CellResult): string[] {
  const count = cell.tests.filter(({ verdict }) => verdict === 'incomplete').length;
  const how = ({ startedAt }: TestResult) => (startedAt === undefined ? 'never ran' : 'never finished');
  const [first, ...others] = listed(cell, 'incomplete', how);
  const title = `#### ${verdicts.incomplete.sign} ${inline(cell.name)}`;
  return first === undefined
    ? []
    : [first.replace(title, () => `${title}: ${count} never ran or never finished`), ...others];
}

/** The number of further errors shown per test. */
const MAX_OTHERS = 10;

function failure(
  run: RunResult,
  cell: CellResult,
  what: string,
  errors: readonly ErrorData[],
  test?: TestResult,
): string {
  const control = test && controlSentence(test, cell, run);
  const parts = [`#### ${verdicts.failed.sign} ${inline(cell.name)} › ${inline(what)}`];
  const [error, ...others] = errors;
  if (error) {
    const location = locationOf(error);
    parts.push(`**${inline(error.type)}**: ${inline(truncate(error.message.split('\n').slice(0, 3).join(' '), 600))}`);
    const facts = [
      ...(location ? [`at ${code(location)}`] : []),
      ...others.slice(0, MAX_OTHERS).map((other) => `also: ${inline(firstLine(`${other.type}: ${other.message}`))}`),
      ...(others.length > MAX_OTHERS ? [`and ${others.length - MAX_OTHERS} more attempts or errors`] : []),
      ...(error.causes ?? []).map((cause) => `caused by: ${inline(firstLine(cause))}`),
      ...(error.hint ? [`hint: ${inline(firstLine(error.hint))}`] : []),
    ];
    if (facts.length > 0) parts.push(facts.join('<br>\n'));
  }
  const tries = test && triesSentence(test);
  if (control) parts.push(inline([control, tries].filter(Boolean).join(' ')));
  if (error?.diff) parts.push(block(truncate(error.diff, 4000), 'diff'));
  if (error?.consoleTail?.length) {
    const tail = error.consoleTail
      .slice(-50)
      .map((line) => truncate(line, 400))
      .join('\n');
    parts.push(
      `<details><summary>Console, last ${Math.min(50, error.consoleTail.length)} lines</summary>\n\n${block(tail)}\n\n</details>`,
    );
  }
  parts.push(`Run it again: ${code(rerunCommand(cell, run, test))}`);
  return parts.join('\n\n');
}

function withinLimit(sections: readonly string[], maxBytes: number): string {
  const note = (left: number) =>
    `_${left} more ${left === 1 ? 'section is' : 'sections are'} left out for GitHub's limit: see index.html or junit.xml._`;
  const kept: string[] = [];
  // Room for the note itself.
  let room = maxBytes - 200;
  for (const section of sections) {
    const size = Buffer.byteLength(section) + 2;
    if (size <= room) {
      room -= size;
      kept.push(section);
    }
  }
  const left = sections.length - kept.length;
  return `${[...kept, ...(left > 0 ? [note(left)] : [])].join('\n\n')}\n`;
}
