import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { some } from '../base/text.ts';
import type { PlannedCell, RunStarted, StoredEvent } from './types.ts';

/** The plan: the output of `harness list --json`. */
export interface Plan {
  readonly cells: readonly PlannedCell[];
  readonly matrix?: string | undefined;
  readonly control?: string | undefined;
}

/** The events of one job, and their source. */
export interface Part {
  /** For messages: a file. */
  readonly source: string;
  /** Of two copies of one run the larger is the more complete. */
  readonly bytes: number;
  /** From the first; may be read more than once. */
  events(): Iterable<StoredEvent> | AsyncIterable<StoredEvent>;
}

/** A part that belongs to the others. */
export interface OpenPart extends Part {
  readonly started: Started;
  /** Cells that it planned. */
  readonly planned: ReadonlySet<string>;
  /** The cells that are taken from it. */
  readonly cells: ReadonlySet<string>;
}

type Started = RunStarted & { readonly at: string };
type Begun = Part & { readonly started: Started };

interface Say {
  /** Receives warnings. */
  readonly warn: (warning: string) => void;
  /** Like `warn`, for problems that lose results. */
  readonly lose: (warning: string) => void;
}

/** The parts that can be merged, and the cells of each. */
export async function openParts(parts: readonly Part[], plan: Plan | undefined, say: Say): Promise<OpenPart[]> {
  const begun: Begun[] = [];
  for (const part of parts) {
    try {
      begun.push({ ...part, started: await startOf(part) });
    } catch (error) {
      say.lose(`${part.source} is left out: ${messageOf(error)}`);
    }
  }
  return shareCells(agreeing(withoutCopies(begun, say), plan, say), plan, say);
}

/** The fields of a run's start that merging relies on. */
const startSchema = z.looseObject({
  type: z.literal('run.started'),
  run: z.string(),
  harness: z.string(),
  matrix: z.looseObject({ name: z.string() }),
  control: z.string(),
  cells: z.array(
    z.looseObject({
      name: z.string(),
      arch: z.string(),
      target: z.string(),
      suite: z.string(),
      voting: z.boolean(),
    }),
  ),
  git: z.object({ sha: z.string(), dirty: z.boolean() }).optional(),
});

async function startOf({ events }: Part): Promise<Started> {
  for await (const event of events()) {
    if (event.type === 'run.started' && startSchema.safeParse(event).success) return event;
    throw new Error('it does not begin with the start of a run');
  }
  throw new Error('it holds no whole event');
}

/** An artifact may contain a run twice, one copy cut short. */
function withoutCopies(parts: readonly Begun[], say: Say): Begun[] {
  const runs = Map.groupBy(parts, ({ started }) => JSON.stringify(started));
  return [...runs.values()].map((copies) => {
    const whole = copies.reduce((one, other) => (other.bytes > one.bytes ? other : one));
    for (const copy of copies)
      if (copy.bytes < whole.bytes)
        say.warn(`${copy.source} is left out: ${whole.source} is a longer copy of the same run`);
    return whole;
  });
}

/** The facts that parts of one run share; an unknown one agrees with anything. */
const COMMON: readonly {
  readonly what: string;
  readonly of: (started: Started) => string | undefined;
  readonly planned?: (plan: Plan) => string | undefined;
}[] = [
  { what: 'matrix', of: ({ matrix }) => matrix.name, planned: ({ matrix }) => matrix },
  { what: 'control architecture', of: ({ control }) => control, planned: ({ control }) => control },
  { what: 'harness version', of: ({ harness }) => harness },
  { what: 'commit', of: ({ git }) => git?.sha },
];

/** Drops the parts that do not belong to the plan, or to the majority. */
function agreeing(parts: readonly Begun[], plan: Plan | undefined, say: Say): Begun[] {
  let left = [...parts];
  for (const { what, of, planned } of COMMON) {
    const wanted = (plan && planned?.(plan)) ?? commonest(left.map(({ started }) => of(started)));
    left = left.filter(({ source, started }) => {
      const own = of(started);
      if (own === undefined || wanted === undefined || own === wanted) return true;
      say.lose(`${source} is left out: it is of the ${what} ${own}, and the others of ${wanted}`);
      return false;
    });
  }
  const unknown = left.filter(({ started }) => started.git === undefined);
  if (unknown.length > 0 && unknown.length < left.length)
    say.warn(
      `${unknown.map(({ source }) => source).join(', ')}: the commit is not known. Where git refuses a folder of another owner, as in a job's container: git config --global --add safe.directory FOLDER`,
    );
  return left;
}

/** The most frequent value, the first of several. */
function commonest(values: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[string, number] | undefined>(
    (best, one) => (best === undefined || one[1] > best[1] ? one : best),
    undefined,
  )?.[0];
}

/** Assigns each cell to one part: of two, to the one that began later, because a job is re-run for a reason. */
function shareCells(parts: readonly Begun[], plan: Plan | undefined, say: Say): OpenPart[] {
  const wanted = plan && new Set(plan.cells.map(({ name }) => name));
  const owners = new Map<string, Begun>();
  for (const part of parts) {
    const unplanned: string[] = [];
    for (const { name } of part.started.cells) {
      if (wanted && !wanted.has(name)) {
        unplanned.push(name);
        continue;
      }
      const owner = owners.get(name);
      const later = owner === undefined || Date.parse(part.started.at) > Date.parse(owner.started.at) ? part : owner;
      owners.set(name, later);
      if (owner !== undefined)
        say.lose(
          `the cell ${name} is in two parts, ${owner.source} and ${part.source}: it is taken from ${later.source}, which began later`,
        );
    }
    if (unplanned.length > 0)
      say.lose(`${part.source} has cells that were not planned, which are left out: ${some(unplanned)}`);
  }
  return parts.map((part) => {
    const planned = new Set(part.started.cells.map(({ name }) => name));
    return { ...part, planned, cells: new Set([...planned].filter((name) => owners.get(name) === part)) };
  });
}
