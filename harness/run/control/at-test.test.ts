import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { matrixSchema } from '../../config/schema/matrix.ts';
import { suiteSchema } from '../../config/schema/suite.ts';
import { DEFAULT_RELEASE } from '../../releases/index.ts';
import { memoryProvider } from '../../targets/memory/provider.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import { type AtTest, lookAtTest } from './at-test.ts';

const FIRST = `import { test } from 'multiarch-harness';
test('is of another file', async ({ target }) => { await target.sh('note first file'); });
`;
const SECOND = `import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'multiarch-harness';
import { appendFileSync } from 'node:fs';
const note = (what) => appendFileSync(import.meta.dirname + '/trace', what + '\\n');
beforeAll(() => note('beforeAll'));
beforeEach(() => note('beforeEach'));
afterEach(() => note('afterEach'));
afterAll(() => note('afterAll'));
test('opens again', () => note('opens again'));
test('fails', () => { note('fails'); expect(1).toBe(2); });
test('opens', () => note('opens'));
test('closes', () => note('closes'));
`;

/** Stops at a test of a suite on machines in memory. @returns what `look` saw, and what the second file had done. */
async function looked(at: string, suite: object = {}, tests?: Parameters<typeof lookAtTest>[0]['tests']) {
  await using files = await tempFiles({ 'suites/s/a.scenario.ts': FIRST, 'suites/s/b.scenario.ts': SECOND });
  const provider = memoryProvider({ snapshots: true, answers: { '*': {} } });
  const matrix = matrixSchema.parse({ arch: ['amd64'], suite: ['s'], limits: { scale: 1 } });
  const cell = {
    ...({ name: 'amd64/memory/s', arch: 'amd64', target: 'memory', release: DEFAULT_RELEASE, voting: true } as const),
    suite: { ...suiteSchema.parse(suite), name: 's', folder: join(files.folder, 'suites/s') },
  };
  const trace = () => readFile(join(files.folder, 'suites/s/trace'), 'utf8').then((text) => text.trim().split('\n'));
  let seen: (Pick<AtTest, 'test' | 'before'> & { readonly trace: string[]; readonly life: string[] }) | undefined;
  const result = await lookAtTest(
    {
      ...{ cell, matrix: { ...matrix, name: 'm' }, at, tests, folder: join(files.folder, 'shells') },
      ...{ cache: join(files.folder, 'cache'), state: join(files.folder, 'state'), version: '0', argv: [] },
      ...{ providers: async () => provider, signal: new AbortController().signal },
      ...{ onEvent: () => {}, onProgress: () => {} },
    },
    async ({ test, before }) => {
      seen = { test, before, trace: await trace(), life: [...provider.machines[0]!.life] };
      return 7;
    },
  );
  return { result, ...seen!, after: await trace(), life: provider.machines[0]!.life, at: seen!.life };
}

test('a machine is seen as a test finds it, and nothing that would come behind runs', async () => {
  const { result, test: stopped, before, trace, after, life } = await looked('opens');
  expect(result).toBe(7);
  expect(stopped).toBe('b.scenario.ts > opens');
  expect(before).toEqual([
    { name: 'is of another file', verdict: 'passed' },
    { name: 'opens again', verdict: 'passed' },
    { name: 'fails', verdict: 'failed' },
  ]);
  const ran = ['opens again', 'fails'].flatMap((name) => ['beforeEach', name, 'afterEach']);
  expect(trace).toEqual(['beforeAll', ...ran, 'beforeEach']);
  expect(after).toEqual(trace);
  expect(life.at(-1)).toBe('released');
});

test('a part of a name means the first test that has it, and what the run had not chosen does not run', async () => {
  const { test: stopped, before } = await looked('close', {}, { files: ['b.*'], names: ['opens again', 'closes'] });
  expect(stopped).toBe('b.scenario.ts > closes');
  expect(before).toEqual([{ name: 'opens again', verdict: 'passed' }]);
});

test('with isolation per test, the machine has been restored', async () => {
  const { at } = await looked('b.scenario.ts > opens', { isolate: 'test' });
  // Once for each of the three later tests; the first one finds the machine as it was deployed.
  expect(at).toEqual(['booted', 'saved', 'restored', 'restored', 'restored']);
});

test('a test that there is not is a mistake that names those that there are', async () => {
  await expect(looked('serves')).rejects.toMatchObject({
    message: 'cannot stop at "serves": no test of amd64/memory/s is called so',
    hint: 'There are a.scenario.ts > is of another file, b.scenario.ts > opens again, b.scenario.ts > fails, b.scenario.ts > opens, b.scenario.ts > closes',
  });
});
