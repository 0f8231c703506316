import { ConfigError, messageOf } from '../base/errors.ts';
import { decide } from './decide.ts';
import { RunFold } from './fold.ts';
import { type OpenPart, openParts, type Part, type Plan } from './merge-parts.ts';
import {
  EVENTS_VERSION,
  type HarnessEvent,
  type PlannedCell,
  type QuarantineEntry,
  type RunStarted,
  type StoredEvent,
} from './types.ts';

export type { Part, Plan } from './merge-parts.ts';

export interface MergeOptions {
  /** The plan: a cell that no part has is incomplete. Default: what the parts planned. */
  readonly planned?: Plan | undefined;
  /** Names the merged run, given the name of its earliest part. */
  readonly nameOf?: (earliest: string) => string;
}

/** One run made of the runs of several jobs. */
export interface Merge {
  /** Its name. */
  readonly run: string;
  /** The parts that are in it. */
  readonly parts: readonly Pick<Part, 'source'>[];
  /**
   * Its events, part by part and each in its own order, regardless of clocks, because those of several machines may
   * differ. Events keep their times and get new numbers. Can be iterated once.
   */
  events(): AsyncGenerator<StoredEvent>;
  /** Problems of the parts, one sentence each; complete once the events have been iterated. */
  readonly warnings: readonly string[];
}

/**
 * Merges the runs of several jobs as if one harness had run all their cells. A part that is damaged, of another commit
 * or matrix, or has cells of another part does not affect the others: its readable cells are taken, there is a warning,
 * and the run is incomplete, because nobody knows what is missing.
 * @throws ConfigError if no part can be used.
 */
export async function openMerge(parts: readonly Part[], options: MergeOptions = {}): Promise<Merge> {
  const { planned, nameOf = (earliest) => earliest } = options;
  if (parts.length === 0) throw new ConfigError('cannot merge: there are no parts');
  const warnings: string[] = [];
  /** Something unknown is missing: the run is not green. */
  let lossy = false;
  const lose = (warning: string) => {
    lossy = true;
    warnings.push(warning);
  };
  const opened = await openParts(parts, planned, { warn: (warning) => warnings.push(warning), lose });
  if (opened.length === 0)
    throw new ConfigError(
      `cannot merge ${parts.map(({ source }) => source).join(', ')}: no part can be used\n${warnings.join('\n')}`,
      {
        hint: 'Give the folders that the jobs have uploaded: each holds an events.jsonl.',
      },
    );
  const started = startOf(opened, planned?.cells, nameOf);

  async function* unnumbered(): AsyncGenerator<HarnessEvent & { readonly at: string }> {
    const fold = new RunFold();
    const seen = <T extends HarnessEvent & { readonly at: string }>(event: T): T => {
      // The decision does not depend on versions and numbers.
      fold.add(event as unknown as StoredEvent);
      return event;
    };
    yield seen(started);
    const ends: PartEnd[] = [];
    for (const part of opened) {
      const end: PartEnd = {};
      ends.push(end);
      try {
        for await (const event of part.events()) {
          end.lastAt = event.at;
          if (event.type === 'run.resumed') {
            end.beforeMs = end.durationMs ?? end.beforeMs ?? 0;
            delete end.durationMs;
            delete end.interrupted;
            yield seen({ ...event, cells: event.cells.filter((name) => part.cells.has(name)) });
          } else if (event.type === 'run.finished') {
            end.durationMs = (end.beforeMs ?? 0) + (Number.isFinite(event.durationMs) ? event.durationMs : 0);
            end.interrupted = event.interrupted;
          } else if (event.type !== 'run.started') {
            if (event.cell !== undefined && !part.planned.has(event.cell))
              throw new Error(`it has an event of ${event.cell}, a cell that it did not plan`);
            if (event.cell === undefined || part.cells.has(event.cell)) yield seen(event);
          }
        }
        if (end.durationMs === undefined) lose(`${part.source} has no end: its harness was killed`);
      } catch (error) {
        lose(`${part.source} is damaged, and what follows is missing: ${messageOf(error)}`);
      }
    }
    const at = latest(ends.map(({ lastAt }) => lastAt)) ?? started.at;
    for (const message of warnings) yield { type: 'log', level: 'warn', message, at };
    const interrupted = ends.some((end) => end.interrupted);
    const exitCode = decide(fold.cells(), { interrupted });
    yield {
      type: 'run.finished',
      exitCode: exitCode === 0 && lossy ? 4 : exitCode,
      interrupted,
      durationMs: durationOf(opened, ends),
      at,
    };
  }

  return {
    run: started.run,
    parts: opened,
    warnings,
    async *events() {
      let seq = 0;
      for await (const event of unnumbered()) yield { ...event, v: EVENTS_VERSION, seq: seq++ };
    },
  };
}

/** The end of a part, as far as it could be read. */
interface PartEnd {
  lastAt?: string;
  durationMs?: number;
  /** Milliseconds until it was resumed. */
  beforeMs?: number;
  interrupted?: boolean;
}

function startOf(
  parts: readonly OpenPart[],
  planned: readonly PlannedCell[] | undefined,
  nameOf: (earliest: string) => string,
): RunStarted & { readonly at: string } {
  const begin = parts
    .map(({ started }) => started)
    .reduce((one, other) => (Date.parse(other.at) < Date.parse(one.at) ? other : one));
  const ran = new Map(
    parts.flatMap(({ started: { cells: all, selection }, cells }) =>
      all
        .filter(({ name }) => cells.has(name))
        // Each job chose its cells in its own way.
        .map((cell) => [cell.name, selection && selection !== begin.selection ? { ...cell, selection } : cell]),
    ),
  );
  const { git: _git, quarantine: _quarantine, ...rest } = begin;
  const git = parts.flatMap(({ started }) => started.git ?? []);
  return {
    ...rest,
    run: nameOf(begin.run),
    ...(git[0] ? { git: { sha: git[0].sha, dirty: git.some(({ dirty }) => dirty) } } : {}),
    ...quarantineOf(parts),
    // The run of a cell knows more about it than the plan.
    cells: planned?.map((cell) => ran.get(cell.name) ?? cell) ?? [...ran.values()],
    jobs: parts.length,
    jobsReason: `merged from the runs ${parts.map(({ started }) => started.run).join(', ')}`,
    argv: [],
  };
}

/**
 * The quarantine of all parts. A job without a history knows no earlier runs: of two equal entries the one with more
 * counts.
 */
function quarantineOf(parts: readonly OpenPart[]): Pick<RunStarted, 'quarantine'> {
  const known = new Map<string, QuarantineEntry>();
  for (const entry of parts.flatMap(({ started }) => started.quarantine ?? [])) {
    const { passedBefore, ...about } = entry;
    const key = JSON.stringify(about);
    if (passedBefore >= (known.get(key)?.passedBefore ?? 0)) known.set(key, entry);
  }
  return known.size > 0 ? { quarantine: [...known.values()] } : {};
}

/**
 * Milliseconds that the jobs took: from the first start to the last end, but at least the longest part and at most the
 * sum of all parts, in case the machines' clocks are years apart.
 */
function durationOf(parts: readonly OpenPart[], ends: readonly PartEnd[]): number {
  const own = parts.map(({ started }, index) => {
    const { durationMs, lastAt } = ends[index]!;
    return durationMs ?? Math.max(0, Date.parse(lastAt ?? started.at) - Date.parse(started.at));
  });
  const begins = parts.map(({ started }) => Date.parse(started.at));
  const finishes = begins.map((begin, index) => begin + own[index]!);
  const span = finishes.reduce((a, b) => Math.max(a, b)) - begins.reduce((a, b) => Math.min(a, b));
  const longest = own.reduce((a, b) => Math.max(a, b));
  const together = own.reduce((a, b) => a + b);
  return Math.round(Math.min(together, Math.max(longest, span)));
}

function latest(times: readonly (string | undefined)[]): string | undefined {
  return times.reduce((one, other) =>
    one === undefined || (other !== undefined && Date.parse(other) > Date.parse(one)) ? other : one,
  );
}
