import { expect, test } from 'vitest';
import { passes, reports, runInMemory } from '../../testing/memory-run.ts';
import type { RunSuite } from '../suite/suite-process.ts';

/** Fails at once on arm64; anywhere else it goes on until it is stopped. */
const suite: RunSuite = (options) => {
  if (options.context.cell.startsWith('arm64')) return reports('passed', 'failed')(options);
  return new Promise((resolve) => {
    const cut = () => resolve({ finished: [], files: 1, cutShort: options.signal.reason as Error });
    if (options.signal.aborted) cut();
    else options.signal.addEventListener('abort', cut, { once: true });
  });
};
const arch = ['amd64', 'arm64', 'ppc64le'] as const;

test('--bail ends what else runs, and keeps what explains the failure', async () => {
  await using run = await runInMemory({
    arch,
    runSuite: suite,
    suites: { s: { evidence: ['why'] } },
    machines: { answers: { why: { stdout: 'because\n' } } },
    run: { bail: 1, jobs: 3, keep: true },
  });
  expect(run.exitCode).toBe(1);
  expect(run.result.cells.map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['incomplete', 'left out by --bail after 1 failure'],
    ['failed', '1 of 2 scenarios failed'],
    ['incomplete', 'left out by --bail after 1 failure'],
  ]);
  const [first, failed, last] = run.result.cells;
  expect(failed).toMatchObject({ enter: 'npx harness shell arm64/memory/s' });
  expect(failed!.artifacts).toContain('cells/arm64/memory/s/evidence-1-why.txt');
  expect([first, last].map((cell) => cell!.steps.some(({ step }) => step === 'collect'))).toEqual([false, false]);
  // Only what failed keeps its machine.
  expect(run.provider.machines.map(({ life }) => life.at(-1)).sort()).toEqual(['left', 'released', 'released']);
});

test('cells whose turn had not come do not begin', async () => {
  const asked: string[] = [];
  const record: RunSuite = (options) => {
    asked.push(options.context.cell);
    return reports('failed')(options);
  };
  await using run = await runInMemory({ arch, runSuite: record, run: { bail: 1, jobs: 1 } });
  expect(asked).toEqual(['amd64/memory/s']);
  expect(run.result.cells.map(({ verdict }) => verdict)).toEqual(['failed', 'incomplete', 'incomplete']);
  expect(run.result.cells.slice(1).map(({ tests }) => tests)).toEqual([[], []]);
});

test('after as many failures as are asked for', async () => {
  const given = { arch, runSuite: reports('failed', 'passed') };
  await using two = await runInMemory({ ...given, run: { bail: 2, jobs: 1 } });
  expect(two.result.cells.map(({ verdict }) => verdict)).toEqual(['failed', 'failed', 'incomplete']);
  await using none = await runInMemory({ ...given, runSuite: passes, run: { bail: 1 } });
  expect(none.exitCode).toBe(0);
});

test('a machine that does not come up is a failure, too', async () => {
  const boot = async ({ cell }: { cell: string }) => {
    if (cell.startsWith('amd64')) throw new Error('it does not boot');
  };
  await using run = await runInMemory({ arch, machines: { boot }, run: { bail: 1, jobs: 1 } });
  expect(run.result.cells.map(({ verdict }) => verdict)).toEqual(['infra', 'incomplete', 'incomplete']);
});
