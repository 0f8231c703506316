import { verdicts } from '../../harness/events/verdicts.ts';
import type { Night, NightCell } from '../../harness/nights/night.ts';
import { hasOf, stillMissing, stillRed } from '../../harness/nights/standing.ts';
import type { Trend, Trends } from '../../harness/nights/trends.ts';
import { type Triage, triageOf, triageOfChange } from '../../harness/nights/triage.ts';
import { html, type Markup } from '../html/markup.ts';
import { verdictMark } from '../html/verdict.ts';
import { acceleratorOf } from '../words.ts';
import { headline } from './changes.ts';
import { triageTag } from './table.ts';
import { changeAnchor, machineOf, percent } from './words.ts';

/** The differences from the night before, which are the reason to open the page, and what is still wrong. */
export function newsSection(nights: readonly Night[], trends: Trends, triage: readonly Triage[] = []): Markup {
  const [before, last] = [nights.at(-2), nights.at(-1)!];
  const items = [
    ...changeNews(trends, nights, triage),
    ...(before ? [...cellNews(before, last), ...missing(before, last), ...elsewhere(before, last)] : []),
    ...suspects(trends),
  ];
  const still = stillWrong(nights, triage);
  const nothing = `Nothing${still.length > 0 ? ' is new' : ''}: every cell ended as it did the night before, and no benchmark left its level.`;
  return html`<section id="news"><h2>New since ${before ? 'the night before' : 'nothing: this is the first night'}</h2>
${items.length > 0 ? list(items) : html`<p class="muted">${before ? nothing : 'News appear here from the second night on.'}</p>`}${
  still.length > 0 &&
  html`
<h3 id="still">Still wrong</h3>
${list(still)}`
}</section>`;
}

function list(items: readonly Markup[]): Markup {
  return html`<ul class="news">${items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
}

/** Cells that were already red, and things already missing, the night before. */
function stillWrong(nights: readonly Night[], triage: readonly Triage[]): Markup[] {
  const day = (night: number) => nights[night]!.startedAt.slice(0, 10);
  const red = stillRed(nights).map(({ cell, since, nights: count }) => {
    const tests = cell.tests.filter(isNews).map(({ name }) => name);
    const about = tests.length > 0 ? some(tests, '; ') : cell.reason;
    const said = triageOf(triage, { cell: cell.name, since: nights[since]!.startedAt });
    return html`<b class="label">cell</b> ${cell.name}: still ${verdictMark(cell.verdict)} since ${day(since)}, ${count} nights${about !== undefined && html` <small>${about}</small>`}${triageTag(said)}`;
  });
  const gone = stillMissing(nights).map(({ cell, benchmarks, last }) =>
    benchmarks
      ? html`<b class="label">benchmark</b> ${cell} has had no figure of ${some(benchmarks, ', ')} since ${day(last)}`
      : html`<b class="label">cell</b> ${cell} was run last on ${day(last)}`,
  );
  return [...red, ...gone];
}

function some(names: readonly string[], between: string): string {
  return `${names.slice(0, 3).join(between)}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
}

function changeNews({ groups }: Trends, nights: readonly Night[], triage: readonly Triage[]): Markup[] {
  return groups.flatMap((group, index) =>
    group.isNew
      ? [
          html`<b class="label">benchmark</b> <a href="#${changeAnchor(index)}">${headline(group)}</a> <small>since ${nights[group.first]!.startedAt.slice(0, 10)}, sure since last night</small>${triageTag(triageOfChange(triage, group, nights))}`,
        ]
      : [],
  );
}

function cellNews(before: Night, last: Night): Markup[] {
  return last.cells.flatMap((cell) => {
    const old = before.cells.find(({ name }) => name === cell.name);
    const tests = newlyBad(old, cell);
    const names = tests.map(({ name }) => name);
    const about = names.length === 0 ? cell.reason : some(names, '; ');
    if (!old) return [html`<b class="label">cell</b> ${cell.name} is new: ${verdictMark(cell.verdict)}`];
    if (old.verdict === cell.verdict && old.excused === cell.excused && tests.length === 0) return [];
    const mark = ({ verdict, excused }: NightCell) => html`${verdictMark(verdict)}${excused && ' (in quarantine)'}`;
    return [
      html`<b class="label">cell</b> ${cell.name}: ${mark(old)} → ${mark(cell)}${about !== undefined && html` <small>${about}</small>`}`,
    ];
  });
}

/** Tests that passed the night before, or were not there, and did not pass now. */
function newlyBad(old: NightCell | undefined, cell: NightCell): NightCell['tests'] {
  const key = ({ file, name, verdict, excused }: NightCell['tests'][number]) =>
    JSON.stringify([file, name, verdict, excused]);
  const known = new Set(old?.tests.map(key));
  return cell.tests.filter((test) => isNews(test) && !known.has(key(test)));
}

function missing(before: Night, last: Night): Markup[] {
  const cells = before.cells.filter(({ name }) => !last.cells.some((cell) => cell.name === name));
  const figures = last.cells.flatMap((cell) => {
    const old = before.cells.find(({ name }) => name === cell.name)?.figures ?? [];
    const lost = old.filter((figure) => figure.median !== undefined && !hasOf(cell, figure));
    return lost.length > 0 ? [{ cell: cell.name, names: lost.map(({ name }) => name) }] : [];
  });
  return [
    ...cells.map(({ name }) => html`<b class="label">cell</b> ${name} was not run`),
    ...figures.map(
      ({ cell, names }) => html`<b class="label">benchmark</b> ${cell} has no figure of ${some(names, ', ')}`,
    ),
  ];
}

/** Benchmarks measured on another machine than the night before, which are not compared. */
function elsewhere(before: Night, last: Night): Markup[] {
  return last.cells.flatMap((cell) => {
    const old = before.cells.find(({ name }) => name === cell.name);
    const pairs = cell.figures.flatMap((figure) => {
      const was = old?.figures.find((one) => one.file === figure.file && one.name === figure.name);
      const [from, to] = [was && measuredOn(was, old!), measuredOn(figure, cell)];
      return from === undefined || from === to || figure.median === undefined ? [] : [{ name: figure.name, from, to }];
    });
    return [...Map.groupBy(pairs, ({ from, to }) => `${from} → ${to}`)].map(
      ([words, of]) =>
        html`<b class="label">benchmark</b> ${cell.name}: ${some(
          of.map(({ name }) => name),
          ', ',
        )} not compared with before <small>${words}</small>`,
    );
  });
}

function measuredOn(figure: NightCell['figures'][number], { accelerator }: NightCell): string {
  return [accelerator, figure.clock, machineOf(figure)].filter(Boolean).join(', ');
}

/** One line for everything that is too early to tell: on a busy host there may be much. */
function suspects({ trends }: Trends): Markup[] {
  const all = trends.filter((trend): trend is Trend & { suspect: object } => trend.suspect !== undefined);
  if (all.length === 0) return [];
  const far = all.toSorted(
    (a, b) =>
      Number(b.series.clock === 'instructions') - Number(a.series.clock === 'instructions') ||
      Math.abs(Math.log(b.suspect!.ratio)) - Math.abs(Math.log(a.suspect!.ratio)),
  );
  const words = ({ series, suspect }: (typeof far)[number]) =>
    `${series.name} on ${series.arch} ${percent(suspect!.ratio)} for ${suspect!.nights} ${suspect!.nights === 1 ? 'night' : 'nights'} (${acceleratorOf(series)})`;
  return [
    html`<b class="label watch">to watch</b> ${far.slice(0, 4).map(words).join('; ')}${far.length > 4 && ` and ${far.length - 4} more`} <small>far from its level, and too early to tell</small>`,
  ];
}

/** Bad results, and flaky tests. The quarantine has its own section. */
function isNews({ verdict, excused }: NightCell['tests'][number]): boolean {
  return excused !== true && (verdicts[verdict].bad || verdict === 'flaky');
}
