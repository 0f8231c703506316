import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldEvents } from './fold.ts';
import { mergeEvents, type Part } from './merge.ts';
import { readEvents } from './reader.ts';
import type { StoredEvent } from './types.ts';

const root = join(import.meta.dirname, '../..');
const whole = (await readEvents(join(root, 'reports/fixtures/events.jsonl'))).events;
const start = whole[0]!;
if (start.type !== 'run.started') throw new Error('the fixture has no start');

/** The run as a job would have written it that had only these cells. */
function part(run: string, names: readonly string[], change: object = {}): Part {
  const own = whole.filter(
    (event) =>
      event.type !== 'run.started' && (!('cell' in event) || event.cell === undefined || names.includes(event.cell)),
  );
  const cells = start.type === 'run.started' ? start.cells.filter(({ name }) => names.includes(name)) : [];
  const events = [{ ...start, run, cells, ...change }, ...own].map((event, seq) => ({ ...event, seq }) as StoredEvent);
  return { source: `${run}/events.jsonl`, events };
}

const names = start.cells.map(({ name }) => name);
const halves = [
  part(
    'r1',
    names.filter((_, index) => index % 2 === 0),
  ),
  part(
    'r2',
    names.filter((_, index) => index % 2 === 1),
  ),
];

test('the counts, cells and verdict of the parts are those of the whole', () => {
  // A plan, which `harness list` prints, knows less of a cell than who ran it.
  const plan = start.cells.map(({ folder: _folder, ...cell }) => cell);
  const merged = foldEvents(mergeEvents(halves, plan));
  const once = foldEvents(whole);
  expect(merged.counts).toEqual(once.counts);
  expect(merged.cells).toEqual(once.cells);
  expect(merged.exitCode).toBe(once.exitCode);
  expect(merged.jobsReason).toBe('merged from the runs r1, r2');
  const counts = halves.map((half) => foldEvents(half.events).counts.planned);
  expect(merged.counts.planned).toBe(counts[0]! + counts[1]!);
});

test('the order of the parts does not matter, and the events are numbered anew', () => {
  const merged = mergeEvents(halves, start.cells);
  expect(merged.map(({ seq }) => seq)).toEqual(merged.map((_, index) => index));
  const times = merged.slice(1).map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const turned = foldEvents(mergeEvents(halves.toReversed(), start.cells));
  expect(turned.cells).toEqual(foldEvents(merged).cells);
});

test('a part that is missing is incomplete, and so is the run', () => {
  const passing = whole.filter((event) => event.type === 'cell.finished' && event.verdict === 'passed');
  const [first] = passing as [StoredEvent & { cell: string }];
  const merged = foldEvents(mergeEvents([part('r1', [first.cell])], start.cells));
  expect(merged).toMatchObject({ state: 'incomplete', exitCode: 4 });
  expect(merged.cells).toHaveLength(names.length);
  expect(merged.cells.filter(({ verdict }) => verdict === 'incomplete')).toHaveLength(names.length - 1);
});

test('a part whose harness was killed is incomplete', () => {
  const [first, second] = halves as [Part, Part];
  const cut = { ...second, events: second.events.slice(0, 5) };
  const { cells } = foldEvents(mergeEvents([first, cut]));
  expect(cells.some(({ verdict }) => verdict === 'incomplete')).toBe(true);
});

test.each([
  ['no parts', [], undefined, 'there are no parts'],
  [
    'a cell twice',
    [part('r1', [names[0]!]), part('r2', [names[0]!])],
    undefined,
    `the cell ${names[0]} is in two parts, r1/events.jsonl and r2/events.jsonl`,
  ],
  ['a cell that nobody planned', [part('r1', names)], [start.cells[0]!], 'which was not planned'],
  [
    'another commit',
    [
      part('r1', [names[0]!], { git: { sha: 'a', dirty: false } }),
      part('r2', [names[1]!], { git: { sha: 'b', dirty: false } }),
    ],
    undefined,
    'r1/events.jsonl is of commit a, r2/events.jsonl of b',
  ],
  [
    'another matrix',
    [part('r1', [names[0]!]), part('r2', [names[1]!], { matrix: { name: 'other' } })],
    undefined,
    'of other',
  ],
  [
    'no start',
    [{ source: 'x', events: whole.slice(1) }],
    undefined,
    'cannot merge x: it does not begin with the start of a run',
  ],
])('%s is refused', (_, parts, planned, message) => {
  expect(() => mergeEvents(parts, planned)).toThrow(message);
});
