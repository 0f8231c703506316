import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InfraError } from '../base/errors.ts';
import { retryUntil } from '../base/time.ts';
import { loadSuite } from '../config/load.ts';
import { tempFiles } from '../config/temp-files.ts';
import { readJournal } from '../scenario/journal.ts';
import { Interrupted } from './step.ts';
import { runSuiteProcess, type SuiteOutcome } from './suite-process.ts';

/** Runs a file until its test is at `until` and its process can tell nobody any more; then it is ended. */
async function endedAt(
  until: 'started' | 'ended',
  test: string,
  why: Error = new InfraError('cannot go on with the guest: the kernel panicked'),
): Promise<SuiteOutcome> {
  await using files = await tempFiles({
    's/suite.yaml': '{}\n',
    's/a.scenario.ts': `import { afterAll, expect, test } from 'multiarch-harness';
      class InfraError extends Error { name = 'InfraError'; hint = 'Look there.'; consoleTail = ['the end']; }
      class EmulatorError extends InfraError { name = 'EmulatorError'; }
      afterAll(() => { for (;;); });
      test('one', () => { ${test} });`,
  });
  const journal = join(files.folder, 'journal');
  const end = new AbortController();
  const outcome = runSuiteProcess({
    context: {
      cell: 'amd64/vm/s',
      nodes: [],
      controlSocket: join(files.folder, 'nobody'),
      suite: await loadSuite(join(files.folder, 's'), files.folder),
      scale: 1,
      step: 'scenarios',
      cacheFolder: join(files.folder, 'cache'),
      journal,
      testTimeoutMs: 60_000,
    },
    emit: async () => {},
    progress: () => {},
    signal: end.signal,
  });
  const reached = async () => {
    const [line] = readJournal(journal);
    if (!line || (until === 'ended' && !line.attempt)) throw new Error(`the test has not ${until}`);
  };
  await retryUntil(reached, { deadlineMs: 30_000, everyMs: 20 });
  end.abort(why);
  const ended = await outcome;
  // The suite is its author's: nothing is left in it, whatever becomes of it.
  expect((await readdir(join(files.folder, 's'))).sort()).toEqual(['a.scenario.ts', 'suite.yaml']);
  return ended;
}

test.each([
  ["throw new InfraError('cannot finish `true`: the SSH connection was lost')", 'infra', 'InfraError'],
  ["throw new EmulatorError('QEMU is gone')", 'emulator', 'EmulatorError'],
  ['expect(1).toBe(2)', 'failed', 'AssertionError'],
] as const)(
  'what a test ended with counts, also when it was not reported any more: %s',
  async (test, verdict, type) => {
    const { finished, cutShort } = await endedAt('ended', test);
    expect(cutShort?.message).toBe('cannot go on with the guest: the kernel panicked');
    expect(finished).toHaveLength(1);
    expect(finished[0]).toMatchObject({ name: 'one', verdict, attempts: [{ verdict, errors: [{ type }] }] });
    const [error] = finished[0]!.attempts[0]!.errors;
    if (verdict === 'failed') expect(error?.diff).toContain('+ 1');
    else expect(error).toMatchObject({ hint: 'Look there.', consoleTail: ['the end'] });
  },
);

test('a test that had passed has passed', async () => {
  const { finished } = await endedAt('ended', 'expect(1).toBe(1)');
  expect(finished).toMatchObject([{ name: 'one', verdict: 'passed', attempts: [{ verdict: 'passed', errors: [] }] }]);
});

test('a test that runs when the machine dies is not the suite’s fault', async () => {
  const { finished } = await endedAt('started', 'for (;;);');
  expect(finished).toMatchObject([
    { verdict: 'infra', attempts: [{ errors: [{ message: 'cannot go on with the guest: the kernel panicked' }] }] },
  ]);
});

test('a test that runs when somebody interrupts has come to nothing', async () => {
  const { finished, cutShort } = await endedAt('started', 'for (;;);', new Interrupted('the run was interrupted'));
  expect(cutShort?.message).toBe('the run was interrupted');
  expect(finished).toEqual([]);
});
