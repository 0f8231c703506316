import type { TestSuite } from 'junit-report-builder';
import { architectures, archsOf } from '../harness/arch/index.ts';
import { summarize, throughput } from '../harness/bench/statistics.ts';
import { distinctNames } from '../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import { type CaseOutcome, outcomeOfTest, outcomesOfHarness, withoutVote } from './junit-cases.ts';
import { buildXml, type CaseExtras, type ExtendedSuite, newBuilder } from './junit-extras.ts';
import { usualPlace } from './report.ts';
import { visible } from './text.ts';
import { acceleratorWords, formatAmount, formatThroughput } from './words.ts';

export interface JunitOptions {
  /**
   * `extended`, the default, adds `file` and `line` from the repository's root to each case, which most readers use for
   * annotations. `strict` leaves them out: Jenkins' `junit-10.xsd` forbids them.
   */
  readonly profile?: 'strict' | 'extended';
  /**
   * `gate`, the default, has all cells, with non-voting failures as skipped, with their message: readers of JUnit know
   * no votes. `non-voting` has only those cells, with failures as failures.
   */
  readonly cells?: 'gate' | 'non-voting';
  /** The run's folder as seen from the repository's root, for attachments. */
  readonly folder?: string;
}

/**
 * The run as JUnit XML: flat; one suite for each cell and file, and one named `<cell> harness` for failures outside of
 * tests, so that a dead target cannot look like an empty green suite. The name of each case ends in its cell, because
 * some readers drop the class.
 */
export function renderJunit(run: RunResult, options: JunitOptions = {}): string {
  const builder = newBuilder();
  const apart = options.cells === 'non-voting';
  const folder = options.folder ?? usualPlace(run).folder;
  const suites = run.cells
    .filter((cell) => !(apart && votes(cell)))
    .flatMap((cell) => suitesOf(cell, folder))
    .map((suite) => (apart || votes(suite.cell) ? suite : { ...suite, outcomes: suite.outcomes.map(withoutVote) }));
  // Readers take two cases with the same class and name for a retry.
  const classNames = distinctNames(suites, [
    ({ cell, file }) => `${dot(cell.name)}.${file ? withoutExtension(file) : 'harness'}`,
    ({ cell, file }) => `${dot(cell.name)}.${file ? dot(file) : 'harness'}`,
    ({ cell, file }) => `${cell.name} ${file ?? 'harness'}`,
  ]);
  const extended = suites.map(({ cell, file, startedAt, outcomes }, id): ExtendedSuite => {
    const suite = builder.testSuite().name(visible(`${cell.name} ${file ?? 'harness'}`));
    const time = seconds(outcomes.reduce((sum, { durationMs }) => sum + durationMs, 0));
    if (startedAt) suite.timestamp(`${startedAt.slice(0, 19)}Z`);
    for (const [name, value] of propertiesOf(run, cell, file)) suite.property(visible(name), visible(value));
    const inSuite = outcomes[0]?.place?.file;
    const cases = distinct(outcomes);
    for (const outcome of cases) addCase(suite, outcome, visible(classNames[id]!), visible(cell.name));
    return {
      suite,
      attributes: {
        time,
        hostname: visible(cell.name),
        id,
        package: visible(dot(cell.name)),
        ...(inSuite ? { file: visible(inSuite) } : {}),
      },
      cases: cases.map((outcome) => extrasOf(outcome, options.profile !== 'strict')),
    };
  });
  return `${buildXml(visible(`${run.matrix.name} ${run.run}`), seconds(run.durationMs), extended)}\n`;
}

function addCase(suite: TestSuite, outcome: CaseOutcome, className: string, cell: string): void {
  const testCase = suite.testCase().className(className).name(`${outcome.name} [${cell}]`);
  if (outcome.state === 'failure') testCase.failure(outcome.message, outcome.type);
  if (outcome.state === 'error') testCase.error(outcome.message, outcome.type);
  if (outcome.state === 'skipped') testCase.skipped();
}

function extrasOf(
  { durationMs, place, state, message, text, reruns, systemOut }: CaseOutcome,
  extended: boolean,
): CaseExtras {
  return {
    attributes: {
      time: seconds(durationMs),
      ...(extended && place ? { file: visible(place.file), ...(place.line ? { line: place.line } : {}) } : {}),
    },
    ...(state === 'skipped' ? { skippedMessage: message } : {}),
    text: text ?? '',
    reruns: reruns ?? [],
    systemOut: systemOut ?? '',
  };
}

/** Whether a cell's failures count; quarantined ones do not. */
function votes({ voting, excused }: CellResult): boolean {
  return voting && !excused;
}

interface JunitSuite {
  readonly cell: CellResult;
  /** Absent: the suite of the harness itself. */
  readonly file?: string;
  /** ISO 8601: the start of its first test; if none started, that of its cell. */
  readonly startedAt?: string;
  readonly outcomes: readonly CaseOutcome[];
}

function suitesOf(cell: CellResult, folder: string): JunitSuite[] {
  const files = Map.groupBy(cell.tests, ({ file }) => file);
  const harness = outcomesOfHarness(cell, folder);
  const since = (starts: readonly (string | undefined)[]) => {
    const startedAt = starts.filter((start) => start !== undefined).sort()[0] ?? cell.startedAt;
    return startedAt === undefined ? {} : { startedAt };
  };
  return [
    ...[...files].map(([file, tests]: [string, TestResult[]]) => ({
      cell,
      file,
      ...since(tests.map(({ startedAt }) => startedAt)),
      outcomes: tests.map((test) => outcomeOfTest(test, cell, folder)),
    })),
    ...(harness.length > 0 ? [{ cell, ...since([cell.startedAt]), outcomes: harness }] : []),
  ];
}

function propertiesOf(run: RunResult, cell: CellResult, file: string | undefined): [string, string][] {
  const { facts } = cell;
  const machine = archsOf(cell.arch)
    .map((arch) => architectures[arch].machine)
    .join('+');
  return [
    ['arch', cell.arch],
    ['target.kind', cell.target],
    ['voting', String(cell.voting)],
    ...(facts
      ? ([
          ['accelerator', facts.accelerator],
          ['cpu', facts.cpu],
          ...(facts.kernel ? [['kernel', facts.kernel]] : []),
          ...(facts.emulator ? [['emulator', facts.emulator]] : []),
          ...(facts.release ? [['release', facts.release]] : []),
          ...(facts.image ? [['image', facts.image]] : []),
          ...(facts.resumed ? [['resumed', facts.resumed]] : []),
        ] as [string, string][])
      : []),
    ['host.arch', run.host.arch],
    ['harness.version', run.harness],
    ...(run.git ? ([['git.sha', `${run.git.sha}${run.git.dirty ? '-dirty' : ''}`]] as [string, string][]) : []),
    ['dd_tags[os.architecture]', machine],
    ['dd_tags[runtime.architecture]', machine],
    ...cell.benchmarks
      .filter((benchmark) => benchmark.file === file)
      .flatMap((benchmark) => benchmarkProperties(cell, benchmark)),
  ];
}

function benchmarkProperties(cell: CellResult, benchmark: CellResult['benchmarks'][number]): [string, string][] {
  if (benchmark.samplesMs.length === 0) return [];
  const { median, count } = summarize(
    benchmark.samplesMs.map((ms) => ms / benchmark.operations),
    benchmark.name,
  );
  const speed =
    benchmark.per !== undefined && benchmark.clock !== 'instructions' && median > 0
      ? `, ${formatThroughput(throughput(median, 1), benchmark.per)}`
      : '';
  const accelerator = cell.facts ? acceleratorWords[cell.facts.accelerator] : 'accelerator unknown';
  return [
    [
      `benchmark.${benchmark.name}`,
      `median ${formatAmount(median, benchmark.clock)}${speed}, ${count} samples, ${accelerator}`,
    ],
  ];
}

/** Some readers keep only the first of two cases with one name. */
function distinct(outcomes: readonly CaseOutcome[]): CaseOutcome[] {
  const names = distinctNames(outcomes, [({ name }) => name]);
  return outcomes.map((outcome, index) => ({ ...outcome, name: names[index]! }));
}

/** `arm64/vm/web` → `arm64.vm.web`: Jenkins makes a tree of the dots. */
function dot(name: string): string {
  return name.replaceAll('/', '.');
}

function withoutExtension(file: string): string {
  return dot(file.replace(/(\.(scenario|bench|test))?\.[cm]?[jt]sx?$/, ''));
}

/** Milliseconds as seconds with at most three decimals and no exponent. */
function seconds(ms: number): string {
  return Number.isFinite(ms) ? (Math.max(0, Math.round(ms)) / 1000).toFixed(3) : '0.000';
}
