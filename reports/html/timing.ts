import { type BenchmarkComparison, type BenchmarkLeg, compareToControl } from '../../harness/bench/comparison.ts';
import type { RunResult } from '../../harness/events/result.ts';
import { type BenchClock, isEmulated } from '../../harness/events/types.ts';
import { acceleratorOf, formatAmount, formatInterval, formatRatio, formatThroughput, stackWords } from '../words.ts';
import { html, type Markup } from './markup.ts';

/** The most dots in a strip; more would only be a smear. */
const MAX_DOTS = 200;

/** Each benchmark across architectures, for each suite, kind of target and release. */
export function timingSection(run: RunResult): Markup {
  const comparisons = compareToControl(run.cells, run.control);
  const groups = Map.groupBy(comparisons, stackWords);
  if (comparisons.length === 0)
    return html`<section id="timing"><h2>Timing</h2><p class="muted">No benchmark was measured.</p></section>`;
  return html`<section id="timing"><h2>Timing</h2>
<p class="muted">Time, or instructions, of one operation: dots are samples, the bar is the 95 % interval of the median, the tick is the median. Every axis begins at 0. Emulated and native figures never share an axis.</p>
${[...groups].map(([title, group]) => html`<h3>${title}</h3>${notes(group, run)}${tableOf(group, run)}`)}</section>`;
}

const clockWords: Readonly<Record<BenchClock, string>> = {
  guest: "guest's clock",
  controller: "controller's clock",
  instructions: 'instructions, counted by the emulator',
};

/** What has to be said of the figures, each once. */
function notes(group: readonly BenchmarkComparison[], run: RunResult): Markup {
  const said = new Set<string>();
  for (const { arch, toControl } of group.flatMap(({ legs }) => legs)) {
    if (toControl.state === 'compared' && toControl.words) said.add(`${arch} and ${run.control}: ${toControl.words}.`);
    if (toControl.state === 'not-comparable') said.add(`${arch} is not compared: ${toControl.reason}.`);
  }
  return html`${[...said].map((note) => html`<p class="note">${note}</p>`)}`;
}

function tableOf(group: readonly BenchmarkComparison[], run: RunResult): Markup {
  return html`<table class="timing"><thead><tr><th scope="col">Runs on</th><th scope="col">Samples</th><th scope="col" class="figure">Median</th><th scope="col" class="figure">95 % interval</th><th scope="col" class="figure">Time against ${run.control}</th><th scope="col" class="figure">Throughput</th></tr></thead>
${group.map(
  (
    benchmark,
  ) => html`<tbody><tr class="title"><th scope="rowgroup" colspan="6">${benchmark.name} <small>${clockWords[benchmark.clock]}</small></th></tr>
${benchmark.legs.map((leg) => row(leg, benchmark, run))}</tbody>`,
)}</table>`;
}

function row(leg: BenchmarkLeg, benchmark: BenchmarkComparison, run: RunResult): Markup {
  const { summary, toControl } = leg;
  const end = Math.max(
    ...benchmark.legs.filter((other) => sameAxis(leg, other, benchmark)).map((other) => other.summary.max),
  );
  const mixed = benchmark.legs.some((other) => !sameAxis(leg, other, benchmark));
  const remarks = [
    ...(mixed ? [`axis of its own, 0 to ${formatAmount(end, benchmark.clock)}`] : []),
    ...leg.warnings,
    ...(summary.outliers.length > 0
      ? [`${summary.outliers.length} of ${summary.count} samples lie far out; none is dropped`]
      : []),
  ];
  return html`<tr><th scope="row">${leg.arch} <small>${acceleratorOf(leg)}</small></th><td class="strip">${strip(samplesOf(leg, benchmark, run), leg, end, benchmark.clock)}${remarks.map(
    (remark) => html`<div class="remark">${remark}</div>`,
  )}</td><td class="figure median">${formatAmount(summary.median, benchmark.clock)}</td><td class="figure interval">${formatInterval(summary.interval, benchmark.clock)}</td><td class="figure ratio ${toControl.state}">${formatRatio(toControl)}</td><td class="figure speed">${
    leg.throughput !== undefined && formatThroughput(leg.throughput, benchmark.per ?? 'operation')
  }</td></tr>
`;
}

/** Counts of instructions of two architectures share an axis no more than native and emulated times do. */
function sameAxis(one: BenchmarkLeg, other: BenchmarkLeg, { clock }: BenchmarkComparison): boolean {
  if (clock === 'instructions') return one === other;
  if (!one.accelerator || !other.accelerator) return one === other;
  return isEmulated(one.accelerator) === isEmulated(other.accelerator);
}

function samplesOf(leg: BenchmarkLeg, benchmark: BenchmarkComparison, run: RunResult): number[] {
  const measured = run.cells
    .find(({ name }) => name === leg.cell)
    ?.benchmarks.find(({ name, file }) => name === benchmark.name && file === benchmark.file);
  const samples = (measured?.samplesMs ?? []).map((ms) => ms / measured!.operations);
  const every = Math.max(1, Math.ceil(samples.length / MAX_DOTS));
  return samples.filter((_sample, index) => index % every === 0);
}

/** Positions are percentages, so that the drawing takes the width it is given and dots stay round. */
function strip(samples: readonly number[], { summary }: BenchmarkLeg, end: number, clock: BenchClock): Markup {
  // A little room at both ends, for a dot's half.
  const at = (ms: number): string => `${(1 + (end > 0 ? (98 * ms) / end : 0)).toFixed(2)}%`;
  const { interval, median } = summary;
  const width = interval ? Math.max(0.4, (98 * (interval.high - interval.low)) / (end || 1)).toFixed(2) : '0';
  return html`<svg width="100%" height="26" role="img" aria-label="${summary.count} samples from ${formatAmount(summary.min, clock)} to ${formatAmount(summary.max, clock)}, median ${formatAmount(median, clock)}"><line x1="0" x2="100%" y1="21" y2="21" class="axis"/>${samples.map(
    (sample) => html`<circle cx="${at(sample)}" cy="13" r="2.5" class="dot"/>`,
  )}${interval && html`<rect x="${at(interval.low)}" y="8" width="${width}%" height="10" class="interval"/>`}<line x1="${at(median)}" x2="${at(median)}" y1="4" y2="22" class="median"/></svg>`;
}
