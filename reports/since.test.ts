import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRun } from '../harness/events/load-run.ts';
import type { HarnessEvent, TestFinished } from '../harness/events/types.ts';
import { sinceWhen } from './since.ts';

type Verdict = TestFinished['verdict'];

/** The events of a run of one cell with these results of its tests. */
function eventsOf(day: number, tests: Readonly<Record<string, Verdict>>, matrix = 'm'): string {
  const name = 'arm64/vm/web';
  const events: HarnessEvent[] = [
    {
      type: 'run.started',
      run: `2026110${day}`,
      harness: '0.1.0',
      matrix: { name: matrix },
      control: 'amd64',
      host: { arch: 'x64', cpu: 'c', cores: 2, memoryBytes: 1, kernel: 'k', node: '24' },
      cells: [{ name, arch: 'arm64', target: 'vm', suite: 'web', voting: true }],
      jobs: 1,
      jobsReason: 'one',
      git: { sha: `${day}`.repeat(40), dirty: false },
      argv: [],
    },
    ...Object.entries(tests).map(
      ([test, verdict]): HarnessEvent => ({
        type: 'test.finished',
        cell: name,
        step: 'scenarios',
        file: 'a.scenario.ts',
        name: test,
        verdict,
        durationMs: 1,
        attempts: [],
      }),
    ),
  ];
  return events
    .map((event, seq) => `${JSON.stringify({ ...event, v: 1, seq, at: `2026-11-0${day}T21:00:0${seq}.000Z` })}\n`)
    .join('');
}

/** Since when the tests of the newest run fail, by name. */
async function sinceOf(runs: Readonly<Record<string, string>>, newest: string) {
  const folder = await mkdtemp(join(tmpdir(), 'since-'));
  try {
    for (const [name, events] of Object.entries(runs)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'events.jsonl'), events);
    }
    await symlink(newest, join(folder, 'latest'));
    const run = await loadRun(join(folder, newest));
    const since = await sinceWhen(run, join(folder, newest));
    const [cell] = run.cells;
    return Object.fromEntries(cell!.tests.map((one) => [one.name, since({ cell: cell!, test: one })]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a failure is as old as its unbroken series of runs; others are new', async () => {
  const found = await sinceOf(
    {
      '2026110': 'nothing that could be read\n',
      '20261101': eventsOf(1, { old: 'passed', ever: 'failed' }),
      '20261102': eventsOf(2, { old: 'failed', ever: 'failed', new: 'failed' }),
      '20261103': eventsOf(3, { old: 'skipped', ever: 'failed', new: 'passed' }),
      '20261104': eventsOf(4, { old: 'failed', ever: 'failed', new: 'flaky' }),
      '20261105': eventsOf(5, { old: 'failed', ever: 'failed', new: 'failed', first: 'failed' }),
    },
    '20261105',
  );
  const run = (day: number) => ({
    run: `2026110${day}`,
    startedAt: `2026-11-0${day}T21:00:00.000Z`,
    commit: `${day}`.repeat(40),
  });
  expect(found).toEqual({
    old: { state: 'old', first: run(2), runs: 2, passed: run(1) },
    ever: { state: 'old', first: run(1), runs: 4 },
    new: { state: 'new', passed: run(4) },
    first: { state: 'unknown' },
  });
});

test('later runs and other matrices do not count, and without earlier runs there is no answer', async () => {
  const others = { '20261101': eventsOf(1, { a: 'passed' }, 'other'), '20261109': eventsOf(9, { a: 'passed' }) };
  expect(await sinceOf({ ...others, '20261105': eventsOf(5, { a: 'failed' }) }, '20261105')).toEqual({ a: undefined });
});
