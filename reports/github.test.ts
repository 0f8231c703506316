import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { CellResult } from '../harness/events/result.ts';
import { fixtureRun } from './fixtures/run.ts';
import { annotationsOf } from './github.ts';
import { inRepository } from './words.ts';

const folder = import.meta.dirname;
const run = await fixtureRun();

/** The input of a runner: the real commands, printed by a separate process. */
async function inGitHub(env: Record<string, string>): Promise<string> {
  const script = `
    import { foldEvents } from '${join(folder, '../harness/events/fold.ts')}';
    import { readEvents } from '${join(folder, '../harness/events/reader.ts')}';
    import { writeAnnotations, writeJobSummary } from '${join(folder, 'github.ts')}';
    const run = foldEvents((await readEvents('${join(folder, 'fixtures/events.jsonl')}')).events);
    const hostile = { type: 'E', message: 'x\\n::set-env name=A::b\\r##[group]c', file: 'a,line=9::stop-commands::t.ts' };
    const cell = { ...run.cells[3], tests: run.cells[3].tests.map((test) => ({ ...test, verdict: 'failed', attempts: [{ verdict: 'failed', durationMs: 1, errors: [hostile] }] })) };
    writeAnnotations({ ...run, cells: [cell] });
    await writeJobSummary('# hello');`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', script], { env });
  return stdout;
}

test('each line that a runner reads is an annotation of ours', async () => {
  const lines = (await inGitHub({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: '' })).split('\n');
  expect(lines).toHaveLength(10);
  for (const line of lines) expect(line).toMatch(/^::error title=[^:]*(,file=[^:,]*)?::[^\r\n]*$/);
  // The command's own two pairs of colons, and none of the guest's.
  for (const line of lines) expect(line.split('::')).toHaveLength(3);
});

test('the summary goes to the file that GitHub names', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'summary-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'summary.md');
  await writeFile(file, 'before\n');
  expect(await inGitHub({ GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: file })).toBe('');
  expect(await readFile(file, 'utf8')).toBe('before\n# hello\n');
});

test.each([
  ['pages.scenario.ts', 'suites/web/pages.scenario.ts'],
  ['../../lib/helper.ts', 'lib/helper.ts'],
  ['../../../elsewhere.ts', undefined],
  ['../../node_modules/vite/dist/node.js', undefined],
  ['/tmp/absolute.ts', undefined],
])('an annotation is at a file of the repository, or at none: %s', (file, place) => {
  expect(inRepository({ folder: 'suites/web' }, file)).toBe(place);
});

test('flaky tests and non-voting failures are warnings, with at most ten of each kind', () => {
  const [cell] = run.cells;
  const error = { type: 'AssertionError', message: 'no' };
  const test = { step: 'scenarios', file: 'a.ts', name: 'x', durationMs: 1 } as const;
  const failed = {
    ...test,
    verdict: 'failed',
    attempts: [{ verdict: 'failed', durationMs: 1, errors: [error] }],
  } as const;
  const flaky = { ...failed, verdict: 'flaky' } as const;
  const of = (...cells: Partial<CellResult>[]) =>
    annotationsOf({ ...run, cells: cells.map((change) => ({ ...cell!, steps: [], ...change })) });
  expect(
    of({ tests: [failed, flaky] }, { voting: false, tests: [failed] }).map(({ level, title }) => [level, title]),
  ).toEqual([
    ['error', 'amd64/vm/smoke › x'],
    ['warning', 'amd64/vm/smoke › flaky: x'],
    ['warning', 'amd64/vm/smoke › x'],
  ]);
  const many = of({ tests: [...Array(14).fill(failed), ...Array(12).fill(flaky)] });
  expect(many.map(({ level }) => level)).toEqual([...Array(10).fill('error'), ...Array(10).fill('warning')]);
  expect(many[9]).toMatchObject({ title: 'More failures', message: '5 more failures: see the job summary.' });
  expect(many[19]).toMatchObject({ title: 'More warnings', message: '3 more warnings: see the job summary.' });
});
