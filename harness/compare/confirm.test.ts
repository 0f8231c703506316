import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldEvents } from '../events/fold.ts';
import { readEvents } from '../events/reader.ts';
import type { RunResult } from '../events/result.ts';
import { confirmChanges, type Side } from './confirm.ts';
import { MOST_ROUNDS } from './decision.ts';
import { type BenchmarkChange, compareRuns } from './regression.ts';

const root = join(import.meta.dirname, '../..');
const run = foldEvents((await readEvents(join(root, 'reports/fixtures/events.jsonl'))).events);
const cell = run.cells.find(({ benchmarks }) => benchmarks.length > 0)!;
const minEffect = { times: 0.02, instructions: 0.005 };

/** A run whose benchmarks took so long, by name. */
function runOf(medians: Readonly<Record<string, number>>, resumed = true): RunResult {
  const benchmarks = Object.entries(medians).map(([name, ms]) => ({
    ...cell.benchmarks[0]!,
    name,
    operations: 1,
    samplesMs: Array.from({ length: 10 }, (_, index) => ms * (1 + 0.0001 * index)),
  }));
  const { resumed: _, ...facts } = cell.facts!;
  return {
    ...run,
    cells: [{ ...cell, benchmarks, facts: resumed ? { ...facts, resumed: '2026-11-20T00:00:00Z' } : facts }],
  };
}

const changes = compareRuns(runOf({ slow: 100, once: 100, same: 100 }), runOf({ slow: 120, once: 120, same: 100 }), {
  minEffect,
  alpha: 0.05,
});

async function confirmed(measure: (side: Side, nth: number) => RunResult) {
  const asked: string[] = [];
  const said: string[] = [];
  let nth = 0;
  const result = await confirmChanges(changes, {
    minEffect,
    alpha: 0.01,
    measure: async (side, suspects) => {
      asked.push(`${side} ${suspects.map(({ name }) => name).join('+')}`);
      return measure(side, nth++);
    },
    onRound: (round, open) => void said.push(`${round}: ${open.length}`),
    warn: (message) => void said.push(message),
  });
  const of = (name: string) => result.find((one) => one.name === name) as BenchmarkChange;
  return { asked, said, of };
}

test('only suspects are measured, base and new alternating, until they are decided', async () => {
  expect(changes.map(({ change, suspect }) => [change, suspect])).toEqual([
    ['maybe worse', 'worse'],
    ['maybe worse', 'worse'],
    ['same', undefined],
  ]);
  const { asked, said, of } = await confirmed((side, nth) =>
    runOf({ slow: (side === 'new' ? 120 : 100) + nth / 10, once: 100 + (side === 'new' ? -nth : nth) / 10 }),
  );
  expect(of('slow')).toMatchObject({ change: 'worse', freshRuns: 6, ratio: expect.closeTo(1.2, 1) });
  expect(of('once')).toMatchObject({ change: 'cannot tell', reason: 'not confirmed: fresh runs do not differ so' });
  expect(of('same')).toEqual(changes[2]);
  expect(asked.slice(0, 8)).toEqual([
    'base slow+once',
    'new slow+once',
    'new slow+once',
    'base slow+once',
    'base slow+once',
    'new slow+once',
    'new slow',
    'base slow',
  ]);
  expect(asked).toHaveLength(12);
  expect(said).toEqual(['1: 2', '2: 2', '3: 2', '4: 1', '5: 1', '6: 1']);
});

test('a pair of one booted and one resumed run is not counted, with a warning', async () => {
  const { said, of } = await confirmed((side, nth) =>
    runOf({ slow: (side === 'new' ? 120 : 100) + nth / 10, once: 100 - nth / 10 }, nth !== 0),
  );
  expect(said).toContain(`${cell.name}: one machine was booted and the other resumed, this pair is not counted`);
  expect(of('slow')).toMatchObject({ change: 'worse', freshRuns: 6 });
});

test('it gives up with a message if no pair can be compared', async () => {
  const { asked, of } = await confirmed((side) => runOf({ slow: 100, once: 100 }, side === 'base'));
  expect(asked.length).toBeGreaterThan(2 * MOST_ROUNDS);
  expect(of('slow')).toMatchObject({
    change: 'cannot tell',
    reason: 'not confirmed: too many pairs of fresh runs could not be compared',
  });
});

test('a missing figure of a fresh run is named with the reason', async () => {
  const { of } = await confirmed((side) => runOf(side === 'base' ? { slow: 100, once: 100 } : { slow: 120 }));
  expect(of('once')).toMatchObject({
    change: 'cannot tell',
    reason: expect.stringContaining(`the fresh run ${run.run} has no figure for it`),
  });
});
