import { quantile } from 'simple-statistics';
import type { Trend } from '../../harness/nights/trends.ts';
import { html, type Markup } from '../html/markup.ts';
import { formatAmount } from '../words.ts';

/** The drawing's own units: it is stretched to the width there is. */
const WIDTH = 1000;
const HEIGHT = 100;

/** The ends of an axis, in the unit of the figures. */
export interface Axis {
  readonly low: number;
  readonly high: number;
}

/**
 * An axis for the data's own range and not from 0, because a change of 1 % has to be visible. One night in fifty at
 * each end may lie beyond it and is drawn at the edge; a constant series has an axis of 1 %.
 */
export function axisOf({ series, changes }: Trend): Axis {
  const { points } = series;
  const levels = changes.flatMap(({ before, after }) => [before, after]);
  const lows = points.map((point) => scaled(point, 0));
  const highs = points.map((point) => scaled(point, 1));
  const low = Math.min(quantile(lows, 0.02), ...levels);
  const high = Math.max(quantile(highs, 0.98), ...levels);
  const room = Math.max(0.06 * (high - low), 0.005 * ((high + low) / 2) - (high - low) / 2);
  return { low: Math.max(0, low - room), high: high + room };
}

/**
 * A series: the band is the interval of each night, the line its median, both without what the cell's benchmarks have in
 * common; faint dots are the medians as measured; thick lines are the levels between changes, and each change is a link
 * to what is said of it.
 * @param linkOf the anchor of a change's card, by its first night, and its words.
 */
export function chart(
  trend: Trend,
  nights: number,
  axis: Axis,
  linkOf: (first: number) => { readonly href: string; readonly title: string } | undefined,
): Markup {
  const { series, changes } = trend;
  const x = (night: number) => String(nights > 1 ? Math.round((WIDTH * night) / (nights - 1)) : WIDTH / 2);
  const y = (value: number) => {
    const share = (value - axis.low) / (axis.high - axis.low);
    return String(Math.round(HEIGHT * (1 - Math.min(1, Math.max(0, share)))));
  };
  const { points, clock } = series;
  const moved = points.filter(({ median, adjusted }) => Math.abs(median / adjusted - 1) > 0.001);
  const last = points.at(-1)!;
  const band = bandPath(trend, x, y);
  const label = `${points.length} nights, from ${formatAmount(Math.min(...points.map(({ adjusted }) => adjusted)), clock)} to ${formatAmount(Math.max(...points.map(({ adjusted }) => adjusted)), clock)}, the last ${formatAmount(last.adjusted, clock)}${changes.length > 0 ? `, ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}` : ''}`;
  return html`<svg class="trend" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="group" aria-label="${label}" data-clock="${clock === 'instructions' ? 'count' : 'time'}" data-from="${points[0]!.night}" data-values="${valuesOf(trend)}">${band !== '' && html`<path class="band" d="${band}"/>`}${
    moved.length > 0 &&
    html`<path class="raw" d="${moved.map(({ night, median }) => `M${x(night)} ${y(median)}h0`).join('')}"/>`
  }<path class="run" d="${linePath(trend, x, y)}"/>${
    points.length === 1 && html`<path class="only" d="M${x(last.night)} ${y(last.adjusted)}h0"/>`
  }${changes.length > 0 && html`<path class="level" d="${levelPath(trend, x, y)}"/>`}${changes.map((change) => {
    const place = (Number(x(change.lastBefore)) + Number(x(change.first))) / 2;
    const link = linkOf(change.first);
    const mark = html`<path class="change ${change.ratio > 1 ? 'up' : 'down'}" d="M${place} 0V${HEIGHT}"><title>${link?.title ?? ''}</title></path>`;
    return link ? html`<a href="#${link.href}" aria-label="${link.title}">${mark}</a>` : mark;
  })}</svg>`;
}

/** The median of each night from the first that has one, for the script: four digits, empty where there is none. */
function valuesOf({ series: { points } }: Trend): string {
  const from = points[0]!.night;
  const values: string[] = Array.from({ length: points.at(-1)!.night - from + 1 }, () => '');
  for (const { night, median } of points) values[night - from] = String(Number(median.toPrecision(4)));
  return values.join(' ').replaceAll(/ {2,}/g, (blanks) => `${' -'.repeat(blanks.length - 1)} `);
}

type Place = (value: number) => string;

/** An end of a night's interval, moved as its median was. */
function scaled({ median, adjusted, interval }: Trend['series']['points'][number], end: 0 | 1): number {
  return ((interval?.[end] ?? median) * adjusted) / median;
}

/** Consecutive nights with figures: lines do not bridge gaps. */
function stretches({ series: { points } }: Trend): Trend['series']['points'][] {
  const all: Trend['series']['points'][number][][] = [];
  for (const point of points) {
    const open = all.at(-1);
    if (open && point.night === open.at(-1)!.night + 1) open.push(point);
    else all.push([point]);
  }
  return all;
}

function linePath(trend: Trend, x: Place, y: Place): string {
  return stretches(trend)
    .map(
      (points) =>
        `M${points.map(({ night, adjusted }) => `${x(night)} ${y(adjusted)}`).join('L')}${points.length === 1 ? 'h0' : ''}`,
    )
    .join('');
}

function bandPath(trend: Trend, x: Place, y: Place): string {
  return stretches(trend)
    .filter(({ length }) => length > 1)
    .map((points) => {
      const there = points.map((point) => `${x(point.night)} ${y(scaled(point, 1))}`);
      const back = points.toReversed().map((point) => `${x(point.night)} ${y(scaled(point, 0))}`);
      return `M${[...there, ...back].join('L')}Z`;
    })
    .join('');
}

function levelPath({ series: { points }, changes }: Trend, x: Place, y: Place): string {
  return changes
    .flatMap(({ before, index }, at) => {
      const from = points[changes[at - 1]?.index ?? 0]!.night;
      const one = `M${x(from)} ${y(before)}H${x(points[index - 1]!.night)}`;
      if (at < changes.length - 1) return [one];
      return [one, `M${x(points[index]!.night)} ${y(changes[at]!.after)}H${x(points.at(-1)!.night)}`];
    })
    .join('');
}
