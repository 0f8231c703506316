import { describe, expect, test } from 'vitest';
import { request } from '../../base/ask.ts';
import { InfraError } from '../../base/errors.ts';
import { type Given, type MemoryRun, passes, runInMemory } from '../../testing/memory-run.ts';
import type { RunSuite } from '../suite/suite-process.ts';

const snapshots = true;
const again = (first: MemoryRun, given: Given = {}) =>
  runInMemory({ machines: { snapshots }, ...given, place: first.place });
const noteOf = (run: MemoryRun, step: string) => run.cell.steps.find((one) => one.step === step)?.note;

describe('a deployed machine', () => {
  test('is saved, and the next run goes on from there', async () => {
    const commands = { suites: { s: { stack: { commands: ['deploy'] } } } };
    let deployed = 0;
    const machines = { snapshots, answers: { deploy: () => ({ exitCode: deployed++ }) } };
    await using first = await runInMemory({ ...commands, machines });
    expect(first.provider.machines[0]!.life).toEqual(['booted', 'saved', 'released']);
    await using second = await again(first, { ...commands, machines });
    expect(second.cell.verdict).toBe('passed');
    expect(second.provider.machines[0]!.life).toEqual(['resumed', 'released']);
    expect(noteOf(second, 'deploy')).toBe('in the snapshot');
    expect(second.cell.facts?.resumed).toMatch(/^\d{4}-/);
    expect(deployed).toBe(1);
  });

  test('is deployed anew when what is deployed differs, or with --cold', async () => {
    await using first = await runInMemory({ machines: { snapshots } });
    await using other = await again(first, { suites: { s: { stack: { ready: [{ command: 'true' }] } } } });
    expect(other.provider.machines[0]!.life[0]).toBe('booted');
    await using cold = await again(first, { run: { cold: true } });
    expect(cold.provider.machines[0]!.life).toEqual(['booted', 'released']);
  });

  test('starts cold, with a word of why, when its snapshot is no good, and is saved anew', async () => {
    await using first = await runInMemory({ machines: { snapshots } });
    const resume = () => {
      throw new InfraError('its memory is not there');
    };
    await using second = await again(first, { machines: { snapshots, resume } });
    expect(second.cell.verdict).toBe('passed');
    expect(second.cell.logs.map(({ message }) => message)).toEqual([
      'its snapshot was dropped, so it starts cold: its memory is not there',
    ]);
    expect(second.provider.machines.map(({ life }) => life)).toEqual([['booted', 'saved', 'released']]);
  });
});

describe('a suite whose machines are restored', () => {
  const isolated = { suites: { s: { isolate: 'test' } } };
  const asks =
    (...what: string[]): RunSuite =>
    async (options) => {
      for (const one of what) await request(options.context.controlSocket, { do: one });
      return passes(options);
    };

  test('has them as they were after the deployment; the first to ask has them so already', async () => {
    await using run = await runInMemory({
      ...isolated,
      machines: { snapshots },
      run: { bench: false },
      runSuite: asks('look', 'restore', 'restore', 'restore'),
    });
    expect(run.cell.verdict).toBe('passed');
    expect(run.provider.machines[0]!.life).toEqual(['booted', 'saved', 'restored', 'restored', 'released']);
  });

  test('is unsupported where they cannot be saved', async () => {
    await using run = await runInMemory({ ...isolated, run: { cold: false } });
    expect(run.cell).toMatchObject({
      verdict: 'unsupported',
      reason: 'the suite wants its machines restored before each test, but they cannot be saved: it was not asked for',
    });
  });

  test('a kind of target without a clock that counts says so', async () => {
    await using run = await runInMemory({
      runSuite: async (options) => {
        await expect(asks('count')(options)).rejects.toThrow(
          'cannot count instructions on a memory target: a vm has a clock that does',
        );
        return passes(options);
      },
    });
    expect(run.cell.verdict).toBe('passed');
  });
});
