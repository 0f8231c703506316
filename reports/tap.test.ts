import { Parser } from 'tap-parser';
import { expect, test } from 'vitest';
import { tap as ownReader } from '../harness/results/tap.ts';
import { DEFAULT_LIMITS } from '../harness/results/types.ts';
import { fixtureRun, hostileRun } from './fixtures/run.ts';
import { renderTap } from './tap.ts';

const run = await fixtureRun();
const write = (of = run) => renderTap(of, { folder: 'runs/one' });

/** All that tap-parser, node-tap's own, makes of it; strict: what is not TAP is a failure. */
function parse(text: string) {
  const children: { name: string; ok: boolean; fail: number; pass: number; skip: number; todo: number }[] = [];
  const points: { name: string; ok: boolean; skip: unknown; todo: unknown; diag: Record<string, unknown> | null }[] =
    [];
  const parser = new Parser({ strict: true });
  const extra: string[] = [];
  parser.on('extra', (line: string) => extra.push(line));
  parser.on('child', (child) => {
    child.on('extra', (line: string) => extra.push(line));
    child.on('assert', (point: (typeof points)[number]) => points.push(point));
    child.on('complete', (results: object) => children.push({ name: child.name, ...results } as never));
  });
  const done = new Promise<{ ok: boolean; failures: unknown[]; count: number }>((resolve) =>
    parser.on('complete', resolve as never),
  );
  parser.end(text);
  return done.then((results) => ({ results, children, points, extra }));
}

test('node-tap reads a subtest for each cell, and a point for each test', async () => {
  const { results, children, points, extra } = await parse(write());
  expect(extra).toEqual([]);
  expect(results.ok).toBe(false);
  expect(results.count).toBe(run.cells.length);
  expect(children.map(({ name }) => name)).toEqual(run.cells.map(({ name }) => name));
  const failed = points.filter(({ ok, todo }) => !ok && todo === false);
  expect(failed.map(({ name }) => name)).toEqual([
    'counter.scenario.ts › counter > survives a power cycle',
    'counter.scenario.ts › counter > is right after 8 clients increment it 100 times each',
    'counter.scenario.ts › counter > survives a power cycle',
    'harness › deploy',
  ]);
  expect(failed[1]!.diag).toMatchObject({
    message: 'expected 797 to be 800 // Object.is equality',
    at: { file: 'tests/suites/web/counter.scenario.ts' },
    control: 'passes-on-control',
  });
});

test('a non-voting failure does not count', async () => {
  const { results } = await parse(write({ ...run, cells: run.cells.map((cell) => ({ ...cell, voting: false })) }));
  expect(results.ok).toBe(true);
});

test('guest output is never a line of TAP', async () => {
  const { points, extra, results } = await parse(write(hostileRun(run)));
  expect(extra).toEqual([]);
  expect(results.failures).toHaveLength(1);
  expect(points.map(({ ok, skip }) => (skip ? 'skip' : ok))).toEqual([false, true, 'skip', false, true]);
});

test('our own reader finds the same tests', () => {
  const { tests, problems } = ownReader.read(Buffer.from(write()), DEFAULT_LIMITS);
  expect(problems).toEqual([]);
  const bad = tests.filter(({ verdict }) => verdict === 'failed' || verdict === 'error');
  expect(bad.map(({ suites }) => suites[0])).toEqual([
    'amd64/vm/web',
    'arm64/vm/web',
    'arm64/vm/web',
    'ppc64le/vm/web',
  ]);
});
