import { median } from 'simple-statistics';
import { scaledMad } from '../bench/statistics.ts';
import { type ChangePoint, changePoints, MIN_LENGTH } from './change-points.ts';
import type { Night } from './night.ts';
import { type Machine, type Series, seriesOf } from './series.ts';

/** A point in a series where its level changed. */
export interface SeriesChange extends ChangePoint {
  /** The last night before, and the first after: the commit is between them. */
  readonly lastBefore: number;
  readonly first: number;
  /**
   * Like `ratio`, but of the measured medians, which include what the machine did to all benchmarks of the cell. For
   * counts, which do not depend on the machine, the two are the same.
   */
  readonly rawRatio: number;
}

/** A benchmark whose last figures are far from its level, for too short a time to tell. */
export interface Suspect {
  /** To its level before. */
  readonly ratio: number;
  /** Nights in a row up to the last. */
  readonly nights: number;
}

export interface Trend {
  readonly series: Series;
  readonly changes: readonly SeriesChange[];
  readonly suspect?: Suspect;
}

/** Changes of several benchmarks between the same nights: most likely one change in the code. */
export interface ChangeGroup {
  readonly lastBefore: number;
  readonly first: number;
  /** It was not visible before the last night. */
  readonly isNew: boolean;
  /** The clearest first. */
  readonly members: readonly { readonly trend: Trend; readonly change: SeriesChange }[];
}

export interface Trends {
  readonly trends: readonly Trend[];
  /** The newest first. */
  readonly groups: readonly ChangeGroup[];
  readonly machines: readonly Machine[];
}

/** The chance of one false alarm on the whole page, if the nights of a benchmark were independent. */
export const FALSE_ALARM = 0.01;

/** The smallest change that matters: counts repeat far better than times do. */
export const MIN_EFFECT = { time: 0.03, instructions: 0.005 } as const;

/** This many robust standard deviations from its level, a figure is worth watching before it is certain. */
const FAR = 8;

/** Figures needed to establish a level, before one can be far from it. */
const LEVEL = 6;

/** Points of one change may differ by this many nights: that of a noisy benchmark is not found exactly. */
const NEAR = 2;

/** The trend of every benchmark, night by night. */
export function trendsOf(nights: readonly Night[]): Trends {
  const { series, machines } = seriesOf(nights);
  const measured = series.filter(({ points }) => points.length > 0);
  const alpha = FALSE_ALARM / Math.max(1, measured.length);
  const trends = measured.map((series) => trendOf(series, nights.length, alpha));
  const before = groupsOf(
    trends.map(({ series }) => trendOf(until(series, nights.length - 1), nights.length - 1, alpha)),
  );
  const groups = groupsOf(trends).map((group) => ({
    ...group,
    isNew: !before.some((old) => Math.abs(old.first - group.first) <= NEAR && shareMember(old, group)),
  }));
  return { trends, groups, machines };
}

function shareMember(one: Grouped, other: Grouped): boolean {
  return one.members.some((a) =>
    other.members.some(
      (b) => a.trend.series.cell === b.trend.series.cell && a.trend.series.name === b.trend.series.name,
    ),
  );
}

function until(series: Series, nights: number): Series {
  return { ...series, points: series.points.filter(({ night }) => night < nights) };
}

function trendOf(series: Series, nights: number, alpha: number): Trend {
  const { points, clock } = series;
  const values = points.map(({ adjusted }) => adjusted);
  const counted = clock === 'instructions';
  const minEffect = counted ? MIN_EFFECT.instructions : MIN_EFFECT.time;
  const found = changePoints(values, { alpha, minEffect, ...(counted ? { clear: FAR } : {}) });
  const raw = (from: number, to?: number) => median(points.slice(from, to).map((point) => point.median));
  const changes = found.map((change, at) => ({
    ...change,
    lastBefore: points[change.index - 1]!.night,
    first: points[change.index]!.night,
    rawRatio: raw(change.index, found[at + 1]?.index) / raw(found[at - 1]?.index ?? 0, change.index),
  }));
  // A benchmark that no longer has figures is not a suspect.
  const isCurrent = points.at(-1)?.night === nights - 1;
  const suspect = isCurrent ? suspectIn(values.slice(changes.at(-1)?.index ?? 0), minEffect) : undefined;
  return { series, changes, ...(suspect ? { suspect } : {}) };
}

function suspectIn(values: readonly number[], minEffect: number): Suspect | undefined {
  for (let nights = Math.min(2 * MIN_LENGTH, values.length - LEVEL); nights >= 1; nights--) {
    const level = values.slice(0, -nights);
    const last = values.slice(-nights);
    const ratios = last.map((value) => value / median(level));
    const apart = Math.max((FAR * scaledMad(level)) / median(level), minEffect);
    if (ratios.every((ratio) => ratio > 1 + apart) || ratios.every((ratio) => ratio < 1 - apart))
      return { ratio: median(ratios), nights };
  }
  return undefined;
}

type Grouped = Omit<ChangeGroup, 'isNew'>;

function groupsOf(trends: readonly Trend[]): Grouped[] {
  const all = trends.flatMap((trend) => trend.changes.map((change) => ({ trend, change }))).sort(clearestFirst);
  const groups: { lastBefore: number; first: number; members: typeof all }[] = [];
  for (const member of all) {
    const { lastBefore, first } = member.change;
    const group = groups.find(
      (one) => Math.abs(one.first - first) <= NEAR || (one.first > lastBefore && first > one.lastBefore),
    );
    // The clearest one determines the position.
    if (group) group.members.push(member);
    else groups.push({ lastBefore, first, members: [member] });
  }
  return groups.sort((one, other) => other.first - one.first);
}

/** Counts before times, because their positions are exact; then by the size of the change relative to the noise. */
function clearestFirst(
  one: { trend: Trend; change: SeriesChange },
  other: { trend: Trend; change: SeriesChange },
): number {
  const counted = ({ trend }: { trend: Trend }) => Number(trend.series.clock === 'instructions');
  return (
    counted(other) - counted(one) ||
    one.change.p - other.change.p ||
    Math.abs(Math.log(other.change.ratio)) - Math.abs(Math.log(one.change.ratio))
  );
}
