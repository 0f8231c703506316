import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HarnessEvent, TestFinished } from '../events/types.ts';
import { tempFiles } from '../testing/temp-files.ts';
import { passedInARow } from './passes.ts';

/** The events of a run with this verdict of a test; undefined: without the test. */
function eventsOf(verdict: TestFinished['verdict'] | undefined): string {
  const cell = 'arm64/vm/web';
  const which = { cell, step: 'scenarios', file: 'a.scenario.ts', name: 'serves /' } as const;
  const events: HarnessEvent[] = [
    {
      ...{
        type: 'run.started',
        run: 'r',
        harness: '0',
        matrix: { name: 'm' },
        control: 'amd64',
        jobs: 1,
        jobsReason: '',
      },
      host: { arch: 'x64', cpu: 'c', cores: 1, memoryBytes: 1, kernel: 'k', node: 'n' },
      cells: [{ name: cell, arch: 'arm64', target: 'vm', suite: 'web', voting: true }],
      argv: [],
    },
    ...(verdict === undefined
      ? []
      : [{ type: 'test.finished', ...which, verdict, durationMs: 1, attempts: [] } as const]),
    { type: 'cell.finished', cell, verdict: verdict === 'passed' ? 'passed' : 'failed', durationMs: 1 },
    { type: 'run.finished', exitCode: 0, interrupted: false, durationMs: 1 },
  ];
  return events
    .map((event, seq) => `${JSON.stringify({ ...event, v: 1, seq, at: '2026-11-27T00:00:00Z' })}\n`)
    .join('');
}

test('passed runs are counted back from the newest to the first that did not pass', async () => {
  const nights = ['passed', undefined, 'skipped', 'passed', 'flaky', 'passed'] as const;
  const names = nights.map((_, index) => `${index}.events.jsonl`);
  await using files = await tempFiles(
    Object.fromEntries(nights.map((verdict, index) => [names[index]!, eventsOf(verdict)])),
  );
  const newestFirst = names.map((name) => join(files.folder, name));
  const entry = { link: 'https://b.example/1', expires: '2026-12-31', where: 'quarantine.yaml:1:3' };
  expect(
    await passedInARow(
      [
        { ...entry, test: 'serves *' },
        { ...entry, test: 'serves *', arch: ['amd64'] },
        { ...entry, cell: 'arm64/vm/web' },
      ],
      newestFirst,
    ),
  ).toEqual([2, 0, 1]);
  expect(await passedInARow([{ ...entry, test: 'serves *' }], newestFirst.slice(4))).toEqual([0]);
});
