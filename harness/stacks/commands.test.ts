import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runInMemory } from '../testing/memory-run.ts';

/** A run of a suite with these steps, on a machine that answers by the script. */
const deployed = (commands: readonly unknown[], answers: object, stack: object = {}) =>
  runInMemory({ suites: { s: { stack: { commands, ...stack } } }, machines: { answers: { ...answers } } });

test('each step is a part of the deployment, with its time, and what it printed is kept', async () => {
  await using run = await deployed(
    [
      'echo plain',
      { name: 'schemas', run: ['make-schemas', 'all'] },
      { await: { name: 'it answers', command: 'curl it' } },
    ],
    {
      'echo plain': { stdout: 'plain\n' },
      'make-schemas all': { stdout: 'one\ntwo\n', after: 30 },
      'curl it': {},
    },
  );
  expect(run.cell.verdict).toBe('passed');
  const phases = run.cell.steps.find(({ step }) => step === 'deploy')?.phases ?? [];
  expect(phases.map(({ name }) => name)).toEqual(['echo plain', 'schemas', 'it answers']);
  expect(phases[1]!.durationMs).toBeGreaterThanOrEqual(29);
  const [log] = run.cell.artifacts.filter((file) => file.endsWith('deploy.log'));
  expect(await readFile(join(run.folder, log!), 'utf8')).toBe('plain\none\ntwo\n');
});

test('a step that fails is named, with what it printed, and none follows it', async () => {
  await using run = await deployed([{ name: 'schemas', run: 'make' }, 'never'], {
    make: { exitCode: 2, stdout: 'no rule\n' },
  });
  const deploy = run.cell.steps.find(({ step }) => step === 'deploy');
  expect(run.cell).toMatchObject({ verdict: 'failed', reason: 'cannot deploy the stack: `schemas` exited with 2' });
  expect(deploy?.error?.causes).toEqual(['no rule']);
  expect(deploy?.phases ?? []).toEqual([]);
});

test('a step has a deadline of its own, and a condition that does not hold ends the deployment', async () => {
  await using late = await deployed([{ name: 'slow', run: 'slow', seconds: 0.05 }], { slow: { after: 'never' } });
  expect(late.cell.reason).toMatch(/no end after 0\.1 s/);
  await using never = await deployed([{ await: { command: 'test', seconds: 0.05 } }], {
    test: { exitCode: 1, stderr: 'refused\n' },
  });
  expect(never.cell).toMatchObject({ verdict: 'failed' });
  expect(never.cell.reason).toMatch(/readiness check "command sh -c test" did not pass .*refused/);
});
