import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldEvents } from '../events/fold.ts';
import { readEvents } from '../events/reader.ts';
import type { CellResult, RunResult } from '../events/result.ts';
import { gateOf } from './gate.ts';
import { compareRuns } from './regression.ts';

const fixture = foldEvents((await readEvents(join(import.meta.dirname, '../../reports/fixtures/events.jsonl'))).events);
const cell = fixture.cells.find(({ benchmarks }) => benchmarks.length > 0)!;
const step = (verdict: 'passed' | 'infra') =>
  ({ step: 'benchmarks', verdict, startedAt: '', durationMs: 1, phases: [] }) as const;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** A run of one cell that measured these, each with ten samples around 100 ms. */
function runOf(names: readonly string[], change: Partial<CellResult> = {}, slow?: string): RunResult {
  const benchmarks = names.map((name) => ({
    ...cell.benchmarks[0]!,
    name,
    operations: 1,
    samplesMs: Array.from({ length: 10 }, (_, index) => (name === slow ? 150 : 100) + index / 1000),
  }));
  return { ...fixture, cells: [{ ...cell, verdict: 'passed', steps: [step('passed')], benchmarks, ...change }] };
}

const judge = (base: RunResult, next: RunResult) =>
  gateOf(compareRuns(base, next, { minEffect: { times: 0.02, instructions: 0.005 }, alpha: 0.05 }), base, {
    confirmed: false,
  });
const base = runOf(NAMES);

test('a run like the base passes, and a slower one does not', () => {
  expect(judge(base, runOf(NAMES))).toEqual({ exitCode: 0, compared: 8, of: 8, unjudged: [] });
  expect(judge(base, runOf(NAMES, {}, 'c')).exitCode).toBe(1);
});

test.each<[string, RunResult]>([
  ['without benchmarks', runOf([])],
  ['without cells', { ...fixture, cells: [] }],
  ['of which all cells failed', runOf([], { verdict: 'failed', reason: 'a test failed', steps: [] })],
  ['on another processor', runOf(NAMES, { facts: { ...cell.facts!, cpu: 'another' } })],
  ['under another accelerator', runOf(NAMES, { facts: { ...cell.facts!, accelerator: 'kvm' } })],
  ['on another host', { ...runOf(NAMES), host: { ...fixture.host, cpu: 'another' } }],
  ['of which nobody knows where', runOf(NAMES, { facts: undefined } as unknown as Partial<CellResult>)],
])('nothing can be said of a run %s', (_, next) => {
  expect(judge(base, next)).toMatchObject({ exitCode: 4, compared: 0, of: 8 });
});

test('on another architecture nothing has a counterpart', () => {
  expect(judge(base, runOf(NAMES, { name: 'riscv64/vm/web' }))).toMatchObject({ exitCode: 4, compared: 0, of: 16 });
});

test.each<[string, RunResult, number, number]>([
  ['half of them missing', runOf(NAMES.slice(4)), 4, 8],
  ['one renamed', runOf([...NAMES.slice(1), 'another']), 7, 9],
])('%s: what was compared is said, and it is not enough', (_, next, compared, of) => {
  expect(judge(base, next)).toMatchObject({ exitCode: 4, compared, of });
});

test('a regression takes precedence over a missing benchmark', () => {
  expect(judge(base, runOf(NAMES.slice(4), {}, 'f')).exitCode).toBe(1);
});

test('a new benchmark passes, unless the base should have had it', () => {
  expect(judge(runOf(NAMES.slice(1)), base)).toMatchObject({ exitCode: 0, compared: 7, of: 8 });
  const failed = judge(runOf(NAMES.slice(1), { verdict: 'infra', reason: 'no disk', steps: [step('infra')] }), base);
  expect(failed).toMatchObject({ exitCode: 4, compared: 7 });
  expect(failed.unjudged[0]!.reason).toBe('the base has no figure for it: the cell ended infra (no disk)');
  expect(judge(runOf([]), base).exitCode).toBe(4);
});
