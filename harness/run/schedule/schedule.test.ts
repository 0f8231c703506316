import { describe, expect, test } from 'vitest';
import { createBarrier } from '../../base/barrier.ts';
import { passes, reports, runInMemory } from '../../testing/memory-run.ts';
import type { SuiteRunOptions } from '../suite/suite-process.ts';

/** A suite that notes who else runs; scenarios wait until all cells are at theirs, and benchmarks give others a chance to begin. */
function crowd(cells: number) {
  const together = createBarrier(cells);
  const now = new Set<string>();
  const seen: string[][] = [];
  const runSuite = async (options: SuiteRunOptions) => {
    const { cell, step } = options.context;
    const name = `${cell.split('/').at(-1)} ${step}`;
    now.add(name);
    if (step === 'scenarios') await together.arrive();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    seen.push([...now].sort());
    now.delete(name);
    return passes(options);
  };
  return { seen, runSuite };
}

const five = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, {}]));

describe('capacity', () => {
  test('never are there more machines than places', async () => {
    const two = createBarrier(2);
    let booted = 0;
    let alive = 0;
    let most = 0;
    await using run = await runInMemory({
      suites: five,
      run: { jobs: 2, bench: false },
      machines: {
        boot: async () => {
          most = Math.max(most, ++alive);
          // The first two are there at once.
          if (++booted <= 2) await two.arrive();
        },
        release: () => void alive--,
      },
    });
    expect(run.result).toMatchObject({ jobs: 2, jobsReason: 'asked for 2', exitCode: 0 });
    expect(run.provider.machines).toHaveLength(5);
    expect([most, alive]).toEqual([2, 0]);
  });

  test('without a number of jobs, a host decides and says why', async () => {
    await using run = await runInMemory({ suites: { a: {} } });
    expect(run.result.jobs).toBe(1);
    expect(run.result.jobsReason).toMatch(/^all cells; [\d.]+ cores .*allow \d+, .* of memory/);
  });
});

test('a benchmark runs alone, and scenarios do not wait for one another', async () => {
  const { seen, runSuite } = crowd(5);
  await using run = await runInMemory({ suites: five, run: { jobs: 5 }, runSuite });
  expect(run.exitCode).toBe(0);
  const measured = seen.filter((names) => names.some((name) => name.endsWith('benchmarks')));
  expect(measured.map((names) => names.length)).toEqual([1, 1, 1, 1, 1]);
});

test('cells of the other architectures run though one fails', async () => {
  await using run = await runInMemory({
    arch: ['amd64', 'arm64', 'ppc64le'],
    runSuite: (options) => reports(options.context.cell.startsWith('arm64') ? 'failed' : 'passed')(options),
  });
  expect(run.exitCode).toBe(1);
  expect(run.result.cells.map(({ arch, verdict }) => `${arch} ${verdict}`)).toEqual([
    'amd64 passed',
    'arm64 failed',
    'ppc64le passed',
  ]);
  // The same test passes on the control architecture.
  expect(run.result.cells[1]!.tests[0]!.control).toBe('passes-on-control');
});

describe('a cluster', () => {
  const suites = { s: { nodes: { one: {}, two: {} } } };
  const can = ['root', 'cluster'] as const;

  test('has its machines on a network of their own, each with its files', async () => {
    await using run = await runInMemory({
      suites,
      machines: { can },
      runSuite: async (options) => {
        expect(options.context.nodes.map(({ name, address }) => [name, address])).toEqual([
          ['one', '10.77.0.11'],
          ['two', '10.77.0.12'],
        ]);
        return reports('failed')(options);
      },
    });
    expect(run.cell.verdict).toBe('failed');
    expect(Object.keys(run.cell.nodes ?? {})).toEqual(['one', 'two']);
    expect(run.cell.artifacts).toEqual(
      expect.arrayContaining(
        ['one/console.log', 'two/console.log', 'lan.json'].map((name) => `cells/amd64/memory/s/${name}`),
      ),
    );
    expect(run.leases).toEqual([]);
  });

  test('of which one does not boot gives the others back', async () => {
    await using run = await runInMemory({
      suites,
      machines: {
        can,
        boot: ({ hostname }) => {
          if (hostname === 'two') throw new Error('no');
        },
      },
    });
    expect(run.cell).toMatchObject({ verdict: 'infra', reason: 'no' });
    expect(run.provider.machines.map(({ life }) => life)).toEqual([['booted', 'released']]);
  });
});
