import { expect, test } from 'vitest';
import type { CellResult } from '../../harness/events/result.ts';
import { criticalPath, spansOf } from './critical-path.ts';

const START = Date.parse('2026-11-20T21:00:00.000Z');

function cell(name: string, startMs: number, ...durations: readonly number[]): CellResult {
  let at = START + startMs;
  const steps = durations.map((durationMs) => {
    const startedAt = new Date(at).toISOString();
    at += durationMs;
    return { step: 'scenarios', verdict: 'passed', startedAt, durationMs, phases: [] } as const;
  });
  const rest = { tests: [], benchmarks: [], logs: [], artifacts: [], durationMs: 0 };
  return { name, arch: 'amd64', target: 'vm', suite: 's', voting: true, verdict: 'passed', steps, ...rest };
}

const pathOf = (...cells: readonly CellResult[]) =>
  criticalPath(spansOf({ cells, startedAt: new Date(START).toISOString() })).map((span) => span.cell.name);

test('with two slots each cell waits for the one that made room for it', () => {
  const cells = [cell('a', 0, 10, 20), cell('b', 0, 100), cell('c', 35, 20), cell('d', 60, 200), cell('e', 105, 5)];
  expect(pathOf(...cells)).toEqual(['a', 'c', 'd']);
});

test('one cell is its own path, and a run without a cell that was started has none', () => {
  expect(pathOf(cell('a', 5, 10))).toEqual(['a']);
  expect(pathOf(cell('a', 5))).toEqual([]);
});

test('a span reaches from the first step to the end of the last one, in milliseconds since the run began', () => {
  const spans = spansOf({ cells: [cell('a', 5, 10, 20)], startedAt: new Date(START).toISOString() });
  expect(spans).toMatchObject([{ startMs: 5, endMs: 35 }]);
});
