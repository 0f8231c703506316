import { ConfigError } from '../base/errors.ts';
import { decide } from './decide.ts';
import { foldEvents } from './fold.ts';
import { EVENTS_VERSION, type PlannedCell, type RunFinished, type RunStarted, type StoredEvent } from './types.ts';

/** The events of one job, and where they are from. */
export interface Part {
  /** For messages: a file. */
  readonly source: string;
  readonly events: readonly StoredEvent[];
}

/**
 * One run out of the runs of several jobs, as if one harness had run all their cells. Events keep their times and get
 * new numbers.
 * @param planned what was to be run: a cell that is in no part is incomplete. Default: what the parts planned.
 * @throws ConfigError when a cell is in two parts, a part has cells that were not planned, or the parts are of different
 * commits, matrices or control architectures.
 */
export function mergeEvents(parts: readonly Part[], planned?: readonly PlannedCell[]): StoredEvent[] {
  const [first, ...others] = parts.map((part) => ({ ...part, started: startOf(part) }));
  if (!first) throw new ConfigError('cannot merge: there are no parts');
  for (const other of others) mustAgree(first, other);
  const owners = new Map<string, { readonly source: string; readonly cell: PlannedCell }>();
  for (const { source, started } of [first, ...others]) {
    for (const cell of started.cells) {
      const { name } = cell;
      const owner = owners.get(name);
      if (owner !== undefined)
        throw new ConfigError(`cannot merge: the cell ${name} is in two parts, ${owner.source} and ${source}`, {
          hint: 'Give the events of each job once. A job that was run again replaces its first run.',
        });
      owners.set(name, { source, cell });
    }
  }
  const run = [...owners.values()].map(({ cell }) => cell);
  // Who ran a cell knows more of it than who planned it.
  const cells = planned?.map((cell) => owners.get(cell.name)?.cell ?? cell) ?? run;
  for (const [name, { source }] of owners)
    if (!cells.some((cell) => cell.name === name))
      throw new ConfigError(`cannot merge: ${source} has the cell ${name}, which was not planned`);

  const events = parts
    .flatMap((part) => part.events)
    .filter(({ type }) => type !== 'run.started' && type !== 'run.finished')
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const ends = parts.flatMap((part) => part.events.filter((event) => event.type === 'run.finished'));
  const begin = [first, ...others]
    .map(({ started }) => started)
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))[0]!;
  const lastAt =
    parts
      .flatMap(({ events }) => events.at(-1)?.at ?? [])
      .sort()
      .at(-1) ?? begin.at;
  const started: RunStarted = {
    ...begin,
    cells,
    jobs: parts.length,
    jobsReason: `merged from the runs ${parts.map((part) => startOf(part).run).join(', ')}`,
    argv: [],
  };
  const numbered = (all: readonly object[]) => all.map((event, seq) => ({ ...event, v: EVENTS_VERSION, seq }));
  const unfinished = numbered([started, ...events]) as StoredEvent[];
  const interrupted = ends.some((end) => end.interrupted);
  const finished: RunFinished & { readonly at: string } = {
    type: 'run.finished',
    exitCode: decide(foldEvents(unfinished).cells, { interrupted }),
    interrupted,
    durationMs: Date.parse(lastAt) - Date.parse(begin.at),
    at: lastAt,
  };
  return numbered([started, ...events, finished]) as StoredEvent[];
}

type Started = RunStarted & { readonly at: string };

function startOf({ source, events }: Part): Started {
  const [first] = events;
  if (first?.type !== 'run.started')
    throw new ConfigError(`cannot merge ${source}: it does not begin with the start of a run`);
  return first;
}

function mustAgree(one: Part & { readonly started: Started }, other: Part & { readonly started: Started }): void {
  const differ = (what: string, a: string | undefined, b: string | undefined) => {
    if (a !== b)
      throw new ConfigError(
        `cannot merge: ${one.source} is of ${what} ${a ?? 'unknown'}, ${other.source} of ${b ?? 'unknown'}`,
      );
  };
  differ('commit', one.started.git?.sha, other.started.git?.sha);
  differ('matrix', one.started.matrix.name, other.started.matrix.name);
  differ('control architecture', one.started.control, other.started.control);
  differ('harness version', one.started.harness, other.started.harness);
}
