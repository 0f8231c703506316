import { allure2 } from '@allurereport/reader';
import { BufferResultFile, type RawTestResult } from '@allurereport/reader-api';
import { expect, test } from 'vitest';
import { allureFiles } from './allure.ts';
import { fixtureRun, hostileRun } from './fixtures/run.ts';

const run = await fixtureRun();

/** Reads the folder with Allure's own reader. */
async function read(of = run) {
  const results: RawTestResult[] = [];
  const attachments: string[] = [];
  const metadata: Record<string, unknown> = {};
  const visitor = {
    visitTestResult: async (result: RawTestResult) => void results.push(result),
    visitAttachmentFile: async (file: { getOriginalFileName(): string }) =>
      void attachments.push(file.getOriginalFileName()),
    visitMetadata: async (found: object) => void Object.assign(metadata, found),
    visitCheckResult: async () => {},
    visitMetrics: async () => {},
    visitTestFixtureResult: async () => {},
    visitGlobals: async () => {},
  };
  for (const { path, content } of allureFiles(of, { folder: 'runs/one' })) {
    const name = path.replace('allure-results/', '');
    expect(await allure2.read(visitor, new BufferResultFile(Buffer.from(String(content)), name)), path).toBe(true);
  }
  return { results, attachments, metadata };
}

test('every attempt is a result, those of one test share a history, and a failure has its message', async () => {
  const { results, metadata } = await read();
  expect(JSON.stringify(metadata)).toContain(run.run);
  const name = 'counter > is right after 8 clients increment it 100 times each';
  const tries = results.filter((one) => one.name === name && one.parameters?.some(({ value }) => value === 'arm64'));
  const [first, second] = tries.filter(({ labels }) => labels?.some(({ value }) => value === 'arm64/vm/web'));
  expect(first).toMatchObject({ status: 'failed', message: 'expected 797 to be 800 // Object.is equality' });
  expect(second).toMatchObject({ status: 'failed', historyId: first!.historyId });
  expect(second!.start).toBeGreaterThanOrEqual(first!.stop!);
  const flaky = results.filter(({ flaky: isFlaky }) => isFlaky);
  expect(flaky.map(({ status }) => status)).toEqual(['failed', 'passed']);
  expect(new Set(results.map(({ uuid }) => uuid)).size).toBe(results.length);
});

test('a failed assertion is failed, any other failure broken; non-voting ones are muted', async () => {
  const { results } = await read({ ...run, cells: run.cells.map((cell) => ({ ...cell, voting: false })) });
  const bad = results.filter(({ status }) => status === 'failed' || status === 'broken');
  expect(new Set(bad.map(({ status }) => status))).toEqual(new Set(['failed', 'broken']));
  expect(bad.every(({ muted }) => muted)).toBe(true);
  expect(results.some(({ status, muted }) => status === 'passed' && muted)).toBe(false);
});

test('the output of a test is an attachment, whatever it contains', async () => {
  const { results, attachments } = await read(hostileRun(run));
  expect(attachments).toHaveLength(1);
  expect(results.flatMap(({ steps = [] }) => steps)).toMatchObject([
    { type: 'attachment', originalFileName: attachments[0] },
  ]);
});
