import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InfraError } from '../../base/errors.ts';
import { matrixSchema } from '../../config/schema/matrix.ts';
import { suiteSchema } from '../../config/schema/suite.ts';
import type { TestResult } from '../../events/result.ts';
import type { TestFinished } from '../../events/types.ts';
import { DEFAULT_RELEASE } from '../../releases/index.ts';
import { type MemoryOptions, memoryProvider } from '../../targets/memory/provider.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import type { RunSuite } from '../suite/suite-process.ts';
import { explainFailures } from './explain.ts';

/** A suite whose selected tests end as their machine answers to their name. */
const asAnswered: RunSuite = async ({ context: { cell, step, tests, nodes }, emit }) => {
  const answers = nodes[0]!.handle['answers'] as Record<string, { stdout?: string }>;
  const finished: TestFinished[] = [];
  for (const { file, test: name = '' } of tests?.only ?? []) {
    const verdict = answers[`${cell.split('/')[0]} ${name}`]?.stdout === 'passes' ? 'passed' : 'failed';
    const errors = verdict === 'failed' ? [{ type: 'AssertionError', message: 'no' }] : [];
    const attempts = [{ verdict, durationMs: 1, errors }] as const;
    const event = { type: 'test.finished', cell, step, file, name, verdict, durationMs: 1, attempts } as const;
    finished.push(event);
    await emit(event);
  }
  return { finished, files: 1 };
};

const failed = (name: string): TestResult => ({
  ...({ step: 'scenarios', file: 'a.scenario.ts', name, verdict: 'failed', durationMs: 1 } as const),
  attempts: [{ verdict: 'failed', durationMs: 1, errors: [] }],
});

/** Explains failures of a cell on arm64; the control architecture is amd64. */
async function explained(names: readonly string[], machines: MemoryOptions, other?: MemoryOptions) {
  await using files = await tempFiles({ 'suites/s/a.scenario.ts': '' });
  const matrix = matrixSchema.parse({ arch: ['arm64'], suite: ['s'], control: 'amd64', limits: { scale: 1 } });
  const provider = memoryProvider(machines);
  const {
    here,
    there,
    other: elsewhere,
    folder,
  } = await explainFailures({
    cell: {
      ...({ name: 'arm64/memory/s', arch: 'arm64', target: 'memory', release: DEFAULT_RELEASE, voting: true } as const),
      suite: { ...suiteSchema.parse({}), name: 's', folder: join(files.folder, 'suites/s') },
    },
    failed: names.map(failed),
    matrix: { ...matrix, name: 'm' },
    ...{ project: files.folder, cache: join(files.folder, 'cache'), state: join(files.folder, 'state') },
    ...{ version: '0', argv: [], providers: async () => provider, signal: new AbortController().signal },
    other: other && (async () => memoryProvider(other)),
    ...{ onEvent: () => {}, onProgress: () => {}, runSuite: asAnswered },
  });
  const verdicts = (tries: typeof here) => tries.map(({ name, on, verdict }) => `${name} ${on} ${verdict}`);
  expect(folder).toContain(join(files.folder, '.harness/explain'));
  return { here: verdicts(here), there: verdicts(there), other: verdicts(elsewhere) };
}

const PASSES = { stdout: 'passes' };

test('each failure is tried where it was, on the control architecture, and under the other build', async () => {
  expect(await explained(['a', 'b'], { answers: { 'amd64 b': PASSES } }, { answers: { 'arm64 a': PASSES } })).toEqual({
    here: ['a arm64/memory/s failed', 'b arm64/memory/s failed'],
    there: ['a amd64/memory/s failed', 'b amd64/memory/s passed'],
    other: ['a arm64/memory/s passed', 'b arm64/memory/s failed'],
  });
});

test('a build that starts no machine says so, and takes nothing from the other answers', async () => {
  const broken = () => {
    throw new InfraError('no such machine type');
  };
  expect(await explained(['a'], {}, { boot: broken })).toEqual({
    here: ['a arm64/memory/s failed'],
    there: ['a amd64/memory/s failed'],
    other: ['a arm64/memory/s infra'],
  });
});
