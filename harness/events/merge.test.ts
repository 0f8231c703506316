import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldEvents } from './fold.ts';
import { type MergeOptions, openMerge, type Part } from './merge.ts';
import { readEvents } from './reader.ts';
import type { PlannedCell, StoredEvent } from './types.ts';

const root = join(import.meta.dirname, '../..');
const whole = (await readEvents(join(root, 'reports/fixtures/events.jsonl'))).events;
const start = whole[0]!;
if (start.type !== 'run.started') throw new Error('the fixture has no start');

/** A part in memory; `bytes` tells a truncated copy from a complete one. */
interface InMemory extends Part {
  readonly list: readonly StoredEvent[];
}

function inMemory(source: string, list: readonly StoredEvent[]): InMemory {
  return { source, list, bytes: list.length, events: () => list };
}

/** The run of a job that had only these cells. */
function part(run: string, names: readonly string[], change: object = {}): InMemory {
  const own = whole.filter(
    (event) =>
      event.type !== 'run.started' && (!('cell' in event) || event.cell === undefined || names.includes(event.cell)),
  );
  const cells = start.type === 'run.started' ? start.cells.filter(({ name }) => names.includes(name)) : [];
  const events = [{ ...start, run, cells, ...change }, ...own].map((event, seq) => ({ ...event, seq }) as StoredEvent);
  return inMemory(`${run}/events.jsonl`, events);
}

/** The events of a part before an unreadable line. */
function damaged({ source, list }: InMemory, after: number): Part {
  return {
    source,
    bytes: after,
    *events() {
      yield* list.slice(0, after);
      throw new Error(`cannot read ${source}:${after + 1}: the line is no JSON`);
    },
  };
}

async function merged(parts: readonly Part[], options?: MergeOptions) {
  const merging = await openMerge(parts, options);
  const events = await Array.fromAsync(merging.events());
  return { events, result: foldEvents(events), warnings: merging.warnings };
}

const plan = (cells: readonly PlannedCell[]): MergeOptions => ({ planned: { cells } });
const names = start.cells.map(({ name }) => name);
const green = whole.filter((event) => event.type === 'cell.finished' && event.verdict === 'passed');
const greens = green.map((event) => (event as { cell: string }).cell);
const [first, second] = greens as [string, string];
const halves = [
  part(
    'r1',
    names.filter((_, index) => index % 2 === 0),
  ),
  part(
    'r2',
    names.filter((_, index) => index % 2 === 1),
  ),
] as [InMemory, InMemory];

test('the counts, cells and verdict of the parts are those of the whole', async () => {
  // A plan, as `harness list` prints it, knows less about a cell than the run.
  const { result, warnings } = await merged(halves, plan(start.cells.map(({ folder: _folder, ...cell }) => cell)));
  const once = foldEvents(whole);
  expect(warnings).toEqual([]);
  expect(result.counts).toEqual(once.counts);
  expect(result.cells).toEqual(once.cells);
  expect(result.exitCode).toBe(once.exitCode);
  expect(result.jobsReason).toBe('merged from the runs r1, r2');
  const counts = halves.map((half) => foldEvents(half.list).counts.planned);
  expect(result.counts.planned).toBe(counts[0]! + counts[1]!);
});

test('the order of the parts does not matter, and the events are numbered anew', async () => {
  const { events, result } = await merged(halves, plan(start.cells));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
  const turned = await merged(halves.toReversed(), plan(start.cells));
  expect(turned.result.cells).toEqual(result.cells);
});

test('the cells of a missing part are incomplete, and so is the run', async () => {
  const { result } = await merged([part('r1', [first])], plan(start.cells));
  expect(result).toMatchObject({ state: 'incomplete', exitCode: 4 });
  expect(result.cells).toHaveLength(names.length);
  expect(result.cells.filter(({ verdict }) => verdict === 'incomplete')).toHaveLength(names.length - 1);
});

test('a part of a killed harness is incomplete, and so is the run', async () => {
  const cut = halves[1].list.slice(0, 5);
  const { result } = await merged([halves[0], inMemory('r2', cut)]);
  expect(result.cells.some(({ verdict }) => verdict === 'incomplete')).toBe(true);
  // Even if every cell has ended: what would have followed is unknown.
  const all = part('r2', [second]);
  const late = await merged([part('r1', [first]), inMemory(all.source, all.list.slice(0, -1))]);
  expect(late.result).toMatchObject({ state: 'incomplete', exitCode: 4 });
  expect(late.warnings).toEqual(['r2/events.jsonl has no end: its harness was killed']);
});

test.each<[string, (at: number, index: number) => number]>([
  ['steps back', (at, index) => at - (index > 3 ? 3000 : 0)],
  ['steps back again and again', (at, index) => at - (index % 2) * 5000],
  ['steps forward', (at, index) => at + (index > 3 ? 86_400_000 : 0)],
  ['stands still', () => Date.parse('2026-01-01T00:00:00Z')],
  ['is years behind', (at) => at - 50 * 365 * 86_400_000],
  ['runs backwards', (at, index) => at - index * 60_000],
])('a part whose clock %s is what it is alone', async (_, clock) => {
  const one = part('r1', [first]);
  const odd = inMemory(
    'r2/events.jsonl',
    part('r2', [second]).list.map((event, index) => ({
      ...event,
      at: new Date(clock(Date.parse(event.at), index)).toISOString(),
    })),
  );
  const alone = [foldEvents(one.list), foldEvents(odd.list)];
  for (const parts of [
    [one, odd],
    [odd, one],
  ]) {
    const { result, warnings } = await merged(parts);
    expect(warnings).toEqual([]);
    expect(result.state).toBe('passed');
    expect(result.counts.planned).toBe(alone[0]!.counts.planned + alone[1]!.counts.planned);
    const apart = alone.flatMap(({ cells }) => cells);
    expect(result.cells.toSorted(byName)).toEqual(apart.toSorted(byName));
    expect(result.durationMs).toBeLessThanOrEqual(alone[0]!.durationMs + alone[1]!.durationMs);
    expect(result.durationMs).toBeGreaterThanOrEqual(Math.max(...alone.map(({ durationMs }) => durationMs)));
  }
});

test('an unknown commit agrees with any, and the warning names the git setting', async () => {
  const { result, warnings } = await merged([
    part('r1', [first], { git: { sha: 'a', dirty: false } }),
    part('r2', [second], { git: undefined }),
  ]);
  expect(result).toMatchObject({ state: 'passed', git: { sha: 'a', dirty: false } });
  expect(warnings).toEqual([expect.stringMatching(/^r2\/events.jsonl: the commit is not known\..* safe\.directory /)]);
});

const [good, other] = [part('r1', [first]), part('r2', [second])];
const lineOf = (text: string): Part => ({
  source: 'r2/events.jsonl',
  bytes: 1,
  events: () => {
    throw new Error(text);
  },
});

test.each<[string, Part, string]>([
  ['is empty', inMemory('r2', []), 'r2 is left out: it holds no whole event'],
  ['has a torn first line', lineOf('the line is no JSON'), 'r2/events.jsonl is left out: the line is no JSON'],
  ['does not begin', inMemory('r2', other.list.slice(1)), 'r2 is left out: it does not begin with the start of a run'],
  [
    'begins with half a start',
    inMemory('r2', [{ ...other.list[0]!, cells: undefined } as unknown as StoredEvent]),
    'r2 is left out: it does not begin with the start of a run',
  ],
  [
    'has a torn line in the middle',
    damaged(other, 4),
    'r2/events.jsonl is damaged, and what follows is missing: cannot',
  ],
  [
    'has a stranger among its cells',
    inMemory('r2', [other.list[0]!, { ...other.list[1]!, cell: 'who/is/it' } as StoredEvent]),
    'it has an event of who/is/it, a cell that it did not plan',
  ],
  [
    'is of another commit',
    part('r2', [second], { git: { sha: 'b', dirty: false } }),
    'r2/events.jsonl is left out: it is of the commit b, and the others of ',
  ],
  [
    'is of another matrix',
    part('r2', [second], { matrix: { name: 'other' } }),
    'r2/events.jsonl is left out: it is of the matrix other, and the others of ',
  ],
  ['is of another version', part('r2', [second], { harness: '0' }), 'of the harness version 0, and the others of '],
])('a part that %s is left out of the rest, and the run is incomplete', async (_, broken, warning) => {
  const planned = start.cells.filter(({ name }) => name === first || name === second);
  for (const parts of [
    [good, broken],
    [good, broken, part('r3', [])],
  ]) {
    const { result, warnings } = await merged(parts, plan(planned));
    expect(result).toMatchObject({ state: 'incomplete', exitCode: 4 });
    expect(result.cells.map(({ name, verdict }) => [name, verdict])).toEqual(
      planned.map(({ name }) => [name, name === first ? 'passed' : 'incomplete']),
    );
    expect(warnings).toEqual([expect.stringContaining(warning)]);
    // Without a plan it is unknown what is missing, but something is.
    const unplanned = await merged(parts);
    expect(unplanned.result.exitCode).toBe(4);
    expect(unplanned.result.cells.find(({ name }) => name === first)?.verdict).toBe('passed');
  }
});

test('the parts of a majority are kept, whichever comes first', async () => {
  const odd = part('r0', [names[0]!], { git: { sha: 'b', dirty: false } });
  const { result } = await merged([odd, part('r1', [first]), part('r2', [second])]);
  expect(result.cells.map(({ name }) => name).toSorted()).toEqual([first, second].toSorted());
});

test('of several copies of a run the longest is taken, without losing anything', async () => {
  const short = inMemory('copy', good.list.slice(0, 3));
  for (const parts of [
    [short, good, other],
    [other, good, short],
  ]) {
    const { result, warnings } = await merged(parts);
    expect(result).toMatchObject({ state: 'passed', exitCode: 0 });
    expect(warnings).toEqual(['copy is left out: r1/events.jsonl is a longer copy of the same run']);
  }
  expect((await merged([good, other, inMemory('again', good.list)])).warnings).toEqual([]);
});

test('a cell of two runs is taken from the later one, and the run is not green', async () => {
  const again = part('r2', [first], { at: '2099-01-01T00:00:00.000Z' });
  for (const parts of [
    [good, again],
    [again, good],
  ]) {
    const { result, warnings } = await merged(parts);
    expect(result).toMatchObject({ exitCode: 4, counts: foldEvents(good.list).counts });
    expect(warnings).toEqual([expect.stringContaining('it is taken from r2/events.jsonl, which began later')]);
  }
});

test('a cell that nobody planned is left out, and the run is not green', async () => {
  const { result, warnings } = await merged(
    [part('r1', [first, second])],
    plan(start.cells.filter(({ name }) => name === first)),
  );
  expect(result.exitCode).toBe(4);
  expect(result.cells.map(({ name }) => name)).toEqual([first]);
  expect(warnings).toEqual([`r1/events.jsonl has cells that were not planned, which are left out: ${second}`]);
});

test('if no part can be merged, the error names every part', async () => {
  await expect(openMerge([])).rejects.toThrow('there are no parts');
  await expect(openMerge([inMemory('a', []), inMemory('b', whole.slice(1))])).rejects.toThrow(
    'cannot merge a, b: no part can be used\na is left out: it holds no whole event\nb is left out: it does not begin',
  );
});

function byName(one: { name: string }, another: { name: string }): number {
  return one.name < another.name ? -1 : 1;
}

test('the quarantine is that of all parts, with the longer count of earlier runs', async () => {
  const entry = { test: '*', link: 'https://b.example/1', expires: '2099-12-31', where: 'quarantine.yaml:1:3' };
  const other = { ...entry, test: 'other', passedBefore: 0 };
  const odd = names.filter((_, index) => index % 2 === 1);
  const even = names.filter((_, index) => index % 2 === 0);
  const parts = [
    part('r1', even, { quarantine: [{ ...entry, passedBefore: 0 }] }),
    part('r2', odd, { quarantine: [{ ...entry, passedBefore: 7 }, other] }),
  ];
  for (const order of [parts, parts.toReversed()]) {
    const { result } = await merged(order);
    expect(result.quarantine).toEqual(expect.arrayContaining([{ ...entry, passedBefore: 7 }, other]));
    expect(result.quarantine).toHaveLength(2);
  }
  const without = await merged([part('r1', even), parts[1]!]);
  const failed = without.result.cells.flatMap(({ tests }) => tests.filter(({ verdict }) => verdict === 'failed'));
  expect(failed.length).toBeGreaterThan(0);
  for (const { quarantine } of failed) expect(quarantine).toMatchObject({ state: 'active', passes: 0 });
});
