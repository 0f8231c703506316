import { posix } from 'node:path';
import { cellName } from '../harness/base/cell-name.ts';
import type { BenchmarkResult, ToControl } from '../harness/bench/comparison.ts';
import type { Interval } from '../harness/bench/statistics.ts';
import type { PackageComparison } from '../harness/events/packages.ts';
import { rerunCommand as rerunOf } from '../harness/events/rerun.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import type { Accelerator, BenchClock } from '../harness/events/types.ts';
import { visible } from './text.ts';

/** A run's state as people say it. */
export const stateWords: Readonly<Record<RunResult['state'], string>> = {
  passed: 'Passed',
  failed: 'Failed',
  infra: 'Infrastructure failed',
  incomplete: 'Incomplete',
  interrupted: 'Interrupted',
};

/** The accelerator in words for a reader who does not know QEMU. */
export const acceleratorWords: Readonly<Record<Accelerator, string>> = {
  native: 'native',
  kvm: 'KVM',
  tcg: 'TCG, emulated',
  'qemu-user': 'qemu-user, emulated',
};

export function acceleratorOf(result: Pick<BenchmarkResult, 'accelerator'>): string {
  return result.accelerator ? acceleratorWords[result.accelerator] : 'accelerator unknown';
}

/** `4 planned: 2 passed, 1 failed, 1 never ran`. These four numbers are always included. */
export function countsLine({ counts }: Pick<RunResult, 'counts'>): string {
  const parts = [
    `${counts.passed} passed`,
    `${counts.failed} failed`,
    `${counts.flaky} flaky`,
    `${counts.skipped} skipped`,
    ...(counts.infra > 0 ? [`${counts.infra} lost to infrastructure`] : []),
    `${counts.neverRan} never ran`,
  ];
  return `${counts.planned} ${counts.planned === 1 ? 'test' : 'tests'} planned: ${parts.join(', ')}`;
}

/** The control leg's result for a failed test; undefined without a comparison. */
export function controlSentence(test: TestResult, cell: CellResult, run: RunResult): string | undefined {
  const control = cellName({ ...cell, arch: run.control });
  switch (test.control) {
    case 'fails-on-control':
      return `It fails on ${control} too, so it is not about ${cell.arch}.`;
    case 'passes-on-control':
      return `It passes on ${control}: the cause is ${cell.arch}, or what emulates it.`;
    case 'passes-here-now':
      return `It passed when it was run again on ${cell.name}: it fails by chance.`;
    case 'machine-died':
      return `The machine died when it was run again on ${cell.name}: the cause is the machine, or what emulates it.`;
    case 'control-unknown':
      return `${control} has no result for it, so nothing says whether it is about ${cell.arch}.`;
    default:
      return undefined;
  }
}

/** `web on vm`, with several releases `web on vm, Debian trixie`: what the cells of all architectures have in common. */
export function stackWords({ suite, target, release }: Pick<CellResult, 'suite' | 'target' | 'release'>): string {
  return `${suite} on ${target}${release === undefined ? '' : `, Debian ${release}`}`;
}

/** A run's packages of one release, summarised in a sentence. */
export function packagesSentence({ release, archs, count, rows, missing }: PackageComparison): string {
  const differing = rows.filter(({ differs }) => differs).length;
  const packages = `Debian ${release}: ${count} ${count === 1 ? 'package' : 'packages'} on ${archs.join(', ')}`;
  const same = archs.length > 1 ? ', of the same versions on all that have them' : '';
  const without = Object.entries(missing).map(([arch, names]) => ` ${arch} is without ${names.join(' and ')}.`);
  return `${packages}${differing === 0 ? same : `; ${differing} differ between architectures`}.${without.join('')}`;
}

/** Path of a file of a cell's suite in the repository; undefined if it is elsewhere. */
export function inRepository({ folder }: Pick<CellResult, 'folder'>, file: string): string | undefined {
  if (folder === undefined || posix.isAbsolute(file)) return undefined;
  const path = posix.join(folder, file);
  return path === '..' || path.startsWith('../') || path.split('/').includes('node_modules') ? undefined : path;
}

/** Place of a test or its error, from the repository's root if it is there: `suites/web/a.scenario.ts:12:5`. */
export function placeOf(
  cell: Pick<CellResult, 'folder'>,
  test: Pick<TestResult, 'file' | 'line' | 'place'>,
  error: { readonly line?: number; readonly column?: number } = {},
): string {
  const { file, line } = test.place ?? test;
  const path = test.place ? file : (inRepository(cell, file) ?? file);
  const place = [path, error.line ?? line, error.column].filter((part) => part !== undefined);
  return visible(place.join(':'));
}

/** The results of re-running a failed test; undefined if it was not. */
export function triesSentence({ controlTries = [] }: TestResult): string | undefined {
  if (controlTries.length === 0) return undefined;
  const tries = controlTries.map(({ on, verdict, reason, durationMs }) =>
    verdict === 'unknown'
      ? `on ${on}: could not be tried${reason === undefined ? '' : `, ${reason}`}`
      : `on ${on}: ${verdict} (${formatTime(durationMs)})`,
  );
  return `Tried again ${tries.join('; ')}.`;
}

/** The cost of re-running failed tests, including starts of machines; undefined if there were none. */
export function controlCostLine({ controlCost }: Pick<RunResult, 'controlCost'>): string | undefined {
  if (controlCost === undefined) return undefined;
  const { tries, durationMs } = controlCost;
  return `${tries} more ${tries === 1 ? 'try' : 'tries'} of failed tests took ${formatTime(durationMs)}`;
}

/** The command that re-runs one cell, or one test of it. */
export function rerunCommand(cell: CellResult, run: RunResult, test?: TestResult): string {
  return visible(rerunOf(run, [cell], test ? [test] : []));
}

/** The attempts, with verdicts and errors, that decided a test's verdict. */
export function errorsOf(test: TestResult): TestResult['attempts'][number]['errors'] {
  return test.attempts.flatMap(({ errors }) => errors);
}

/** `1.23 ms`, `45.6 µs`, `12.3 s`, `4 min 5 s`: three significant digits. */
export function formatTime(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms >= 120_000) {
    const seconds = Math.round(ms / 1000);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  if (ms >= 999.5) return `${significant(ms / 1000)} s`;
  if (ms >= 0.9995) return `${significant(ms)} ms`;
  return ms >= 0.0009995 ? `${significant(ms * 1000)} µs` : `${significant(ms * 1e6)} ns`;
}

/** A measured amount: a time, or `56.690 M instructions`, with all digits, which are the point of counting. */
export function formatAmount(ms: number, clock: BenchClock): string {
  if (clock !== 'instructions') return formatTime(ms);
  const count = ms * 1e6;
  const [unit, size] = count >= 1e9 ? ['G', 1e9] : count >= 1e6 ? ['M', 1e6] : count >= 1e3 ? ['k', 1e3] : ['', 1];
  const shown = (count / size).toLocaleString('en-GB', { maximumFractionDigits: size === 1 ? 2 : 3 });
  return `${shown} ${unit === '' ? '' : `${unit} `}instructions`;
}

/** An amount without a line break between number and unit; only the long word of a count may be on its own. */
export function unbroken(amount: string): string {
  return amount.replaceAll(/ (?!instructions)/g, '\u00a0');
}

/** `1,230 requests/s`, `34.5 MiB/s`. `per` is singular; a unit of bytes takes no plural. */
export function formatThroughput(perSecond: number, per: string): string {
  return `${significant(perSecond)} ${per}${/(?:B|s)$/.test(per) ? '' : 's'}/s`;
}

export function formatInterval(interval: Interval | undefined, clock: BenchClock): string {
  return interval ? `${formatAmount(interval.low, clock)} – ${formatAmount(interval.high, clock)}` : 'too few samples';
}

/** `2.31× (2.20 – 2.44)`, `control`, or `not comparable`. */
export function formatRatio(toControl: ToControl): string {
  if (toControl.state === 'control') return 'control';
  if (toControl.state === 'not-comparable') return 'not comparable';
  const { ratio, interval } = toControl;
  return `${significant(ratio)}×${interval ? ` (${significant(interval.low)} – ${significant(interval.high)})` : ''}`;
}

/** Created once: creating a formatter costs a thousand times as much as using it. */
const digits = (maximumSignificantDigits: number, minimumSignificantDigits: number) =>
  new Intl.NumberFormat('en-GB', { maximumSignificantDigits, minimumSignificantDigits });
const THOUSANDS = digits(4, 1);
const HUNDREDS = digits(3, 1);
const FEW = digits(3, 3);

/** Three significant digits, thousands grouped, never an exponent. */
export function significant(value: number): string {
  return (value >= 1000 ? THOUSANDS : value >= 100 ? HUNDREDS : FEW).format(value);
}
