import { type BenchmarkComparison, type BenchmarkResult, compareToControl } from '../../harness/bench/comparison.ts';
import type { RunResult } from '../../harness/events/result.ts';
import { type BenchClock, isEmulated } from '../../harness/events/types.ts';
import {
  acceleratorOf,
  formatAmount,
  formatInterval,
  formatRatio,
  formatThroughput,
  stackWords,
  unbroken,
} from '../words.ts';
import { type Axis, at, axisTo, ticks } from './axis.ts';
import { html, type Markup } from './markup.ts';
import { timingSentence } from './timing-words.ts';

/** The most dots in a strip; more would be a blur. */
const MAX_DOTS = 200;

/** Each benchmark across architectures, for each suite, kind of target and release. */
export function timingSection(run: RunResult): Markup | undefined {
  const comparisons = compareToControl(run.cells, run.control);
  if (comparisons.length === 0) return undefined;
  const groups = [...Map.groupBy(comparisons, stackWords)];
  return html`<section id="timing" aria-labelledby="timing-title"><h2 id="timing-title">Timing</h2>
<p class="muted">Time, or instructions, of one operation: dots are samples, the bar is the 95 % interval of the median, the tick is the median. Every axis begins at 0. Emulated and native figures never share an axis.</p>
${groups.map(
  ([title, group]) => html`<div class="benchmarks"><h3>${title}</h3>
<p class="lead">${timingSentence(group, run.control)}</p>
${sorting(group)}${tableOf(group, run)}${remarks(group)}</div>
`,
)}</section>`;
}

/** Hidden until the page's script runs. */
function sorting(group: readonly BenchmarkComparison[]): Markup | undefined {
  if (group.length < 2) return undefined;
  return html`<label class="sort" hidden="">Sort <select class="sort-timing"><option value="">as in the suite</option><option value="ratio">largest ratio first</option><option value="time">slowest first</option></select></label>`;
}

const clockWords: Readonly<Record<BenchClock, string>> = {
  guest: "guest's clock",
  controller: "controller's clock",
  instructions: 'instructions, counted by the emulator',
};

/** Remarks on the figures: each once, with the figures that it is about. */
function remarks(group: readonly BenchmarkComparison[]): Markup | undefined {
  const said = group.flatMap(({ name, results }) =>
    results.flatMap((result) => {
      const { outliers, count } = result.summary;
      const far =
        outliers.length > 0
          ? [{ remark: 'Samples that lie far out; none is dropped', of: `${outliers.length} of ${count}` }]
          : [];
      return [...result.warnings.map((remark) => ({ remark, of: '' })), ...far].map(({ remark, of }) => ({
        remark,
        where: `${name} on ${result.arch}${of === '' ? '' : ` (${of})`}`,
      }));
    }),
  );
  if (said.length === 0) return undefined;
  const groups = [...Map.groupBy(said, ({ remark }) => remark)];
  return html`<details class="remarks"><summary>${groups.length === 1 ? 'A remark' : `${groups.length} remarks`} on the figures</summary><ul>${groups.map(
    ([remark, about]) => html`<li>${remark}: ${about.map(({ where }) => where).join(', ')}.</li>`,
  )}</ul></details>`;
}

function tableOf(group: readonly BenchmarkComparison[], run: RunResult): Markup {
  const ratios = ratioAxis(group);
  const speed = group.some(({ results }) => results.some(({ throughput }) => throughput !== undefined));
  const columns = 5 + (ratios ? 1 : 0) + (speed ? 1 : 0);
  return html`<table class="timing"><thead><tr><th scope="col">Runs on</th><th scope="col" class="strip">Samples</th><th scope="col" class="figure">Median</th><th scope="col" class="figure">95 % interval</th>${ratios && html`<th scope="col" class="bar">Times ${run.control}</th>`}<th scope="col" class="figure">Ratio</th>${speed && html`<th scope="col" class="figure">Throughput</th>`}</tr></thead>
${group.map((benchmark) => {
  const { results, clock } = benchmark;
  const sets = [...Map.groupBy(results, (result) => axisKey(result, benchmark)).values()];
  return html`<tbody data-ratio="${largestRatio(benchmark)}" data-time="${Math.max(...results.map(({ summary }) => summary.median))}"><tr class="title"><th scope="rowgroup" colspan="${columns}">${benchmark.name} <small>${clockWords[clock]}</small></th></tr>
${sets.map((set) => {
  const axis = axisTo(Math.max(...set.map(({ summary }) => summary.max)));
  return html`${set.map((result) => rowOf(result, { benchmark, axis, ratios, speed, run }))}<tr class="axis"><td></td><td class="strip">${ticks(axis, (value) => formatAmount(value, clock))}</td><td colspan="2"></td>${ratios && html`<td class="bar">${set.some(({ toControl }) => toControl.state === 'compared') && ticks(ratios, (value) => `${value}×`)}</td>`}<td></td>${speed && html`<td></td>`}</tr>
`;
})}</tbody>
`;
})}</table>`;
}

interface RowContext {
  readonly benchmark: BenchmarkComparison;
  readonly axis: Axis;
  /** Undefined: nothing is compared. */
  readonly ratios: Axis | undefined;
  readonly speed: boolean;
  readonly run: RunResult;
}

function rowOf(result: BenchmarkResult, { benchmark, axis, ratios, speed, run }: RowContext): Markup {
  const { summary, toControl } = result;
  const { clock } = benchmark;
  return html`<tr><th scope="row">${result.arch} <small>${acceleratorOf(result)}</small></th><td class="strip">${strip(samplesOf(result, benchmark, run), result, axis, clock)}</td><td class="figure median">${unbroken(formatAmount(summary.median, clock))}</td><td class="figure interval">${intervalOf(result, clock)}</td>${
    ratios && html`<td class="bar">${ratioBar(result, ratios)}</td>`
  }<td class="figure ratio ${toControl.state}">${ratioOf(result)}</td>${
    speed &&
    html`<td class="figure speed">${result.throughput !== undefined && formatThroughput(result.throughput, benchmark.per ?? 'operation')}</td>`
  }</tr>
`;
}

/** An interval that may break only in its middle. */
function intervalOf({ summary: { interval } }: BenchmarkResult, clock: BenchClock): string {
  if (!interval) return formatInterval(interval, clock);
  const [low, high] = [interval.low, interval.high].map((ms) => unbroken(formatAmount(ms, clock)));
  return `${low}\u00a0– ${high}`;
}

/** A ratio, and its interval below it. */
function ratioOf({ toControl }: BenchmarkResult): Markup {
  const [ratio, interval] = formatRatio(toControl).split(/ (?=\()/);
  return html`${ratio}${interval !== undefined && html` <small>${unbroken(interval)}</small>`}`;
}

/** Counts of instructions of two architectures do not share an axis, like native and emulated times. */
function axisKey({ cell, accelerator }: BenchmarkResult, { clock }: BenchmarkComparison): string {
  return clock === 'instructions' || !accelerator ? cell : String(isEmulated(accelerator));
}

/** One axis for all ratios of a table, so that they can be compared down the column; none without ratios. */
function ratioAxis(group: readonly BenchmarkComparison[]): Axis | undefined {
  const ends = group.flatMap(({ results }) =>
    results.flatMap(({ toControl }) =>
      toControl.state === 'compared' ? [toControl.ratio, toControl.interval?.high ?? 0] : [],
    ),
  );
  return ends.length > 0 ? axisTo(Math.max(1, ...ends)) : undefined;
}

function largestRatio({ results }: BenchmarkComparison): number {
  return Math.max(0, ...results.map(({ toControl }) => (toControl.state === 'compared' ? toControl.ratio : 0)));
}

/** A bar from 0 to the ratio, its interval on it, and a line where both would be equal. */
function ratioBar({ toControl }: BenchmarkResult, axis: Axis): Markup | undefined {
  if (toControl.state !== 'compared') return undefined;
  const { ratio, interval } = toControl;
  return html`<svg width="100%" height="22" role="img" aria-label="${formatRatio(toControl)}"><rect x="1%" y="5" width="${((98 * ratio) / axis.end).toFixed(2)}%" height="12" class="ratio-bar"/>${
    interval &&
    html`<line x1="${at(interval.low, axis)}" x2="${at(interval.high, axis)}" y1="11" y2="11" class="whisker"/>`
  }<line x1="${at(1, axis)}" x2="${at(1, axis)}" y1="1" y2="21" class="one"/></svg>`;
}

function samplesOf(result: BenchmarkResult, benchmark: BenchmarkComparison, run: RunResult): number[] {
  const measured = run.cells
    .find(({ name }) => name === result.cell)
    ?.benchmarks.find(({ name, file }) => name === benchmark.name && file === benchmark.file);
  const samples = (measured?.samplesMs ?? []).map((ms) => ms / measured!.operations);
  const every = Math.max(1, Math.ceil(samples.length / MAX_DOTS));
  return samples.filter((_sample, index) => index % every === 0);
}

/** Positions are percentages, so that the drawing takes the width it is given and dots stay round. */
function strip(samples: readonly number[], { summary }: BenchmarkResult, axis: Axis, clock: BenchClock): Markup {
  const { interval, median } = summary;
  const width = interval ? Math.max(0.4, (98 * (interval.high - interval.low)) / axis.end).toFixed(2) : '0';
  return html`<svg width="100%" height="22" role="img" aria-label="${summary.count} samples from ${formatAmount(summary.min, clock)} to ${formatAmount(summary.max, clock)}, median ${formatAmount(median, clock)}"><line x1="0" x2="100%" y1="20" y2="20" class="axis"/>${samples.map(
    (sample) => html`<circle cx="${at(sample, axis)}" cy="11" r="2.5" class="dot"/>`,
  )}${interval && html`<rect x="${at(interval.low, axis)}" y="6" width="${width}%" height="10" class="interval"/>`}<line x1="${at(median, axis)}" x2="${at(median, axis)}" y1="2" y2="20" class="median"/></svg>`;
}
