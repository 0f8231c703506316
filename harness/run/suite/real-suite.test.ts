import { expect, test } from 'vitest';
import { runInMemory } from '../../testing/memory-run.ts';
import { runSuiteProcess } from './suite-process.ts';

const suite = `import { expect, test } from 'multiarch-harness';
let tries = 0;
test('asks its target', async ({ target }) => {
  expect(await target.sh('uname -m')).toBe('x86_64');
  expect((await target.exec(['nothing', 'like', 'it'])).exitCode).toBe(127);
  await target.write('/etc/motd', 'hello');
  expect(await target.read('/etc/motd')).toBe('hello');
});
test('needs two attempts', () => { expect(++tries).toBe(2); });
test('cannot cut the power', async ({ target, skip }) => {
  skip(!target.can('power'), 'nothing switches it');
});
test('says what it has not', async ({ target }) => { await target.powerCycle(); });
test('reaches what the stack names', async ({ stack }) => {
  expect(stack.url('http')).toBe('http://127.0.0.1:8080/');
  expect(await stack.service('web').isActive()).toBe(true);
});
`;

test('a suite’s own process finds the machine again, and every attempt of a test is kept', async () => {
  await using run = await runInMemory({
    suites: { s: { retries: 1, stack: { ports: { http: 8080 } } } },
    files: { 'suites/s/a.scenario.ts': suite },
    machines: {
      can: ['root'],
      answers: { 'uname -m': { stdout: 'x86_64\n' }, 'systemctl is-active --quiet web': {} },
    },
    runSuite: runSuiteProcess,
    run: { bench: false },
  });
  expect(run.cell.tests.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['asks its target', 'passed'],
    ['needs two attempts', 'flaky'],
    ['cannot cut the power', 'skipped'],
    ['says what it has not', 'infra'],
    ['reaches what the stack names', 'passed'],
  ]);
  const [, flaky, skipped, powerless] = run.cell.tests;
  expect(flaky?.attempts.map(({ verdict }) => verdict)).toEqual(['failed', 'passed']);
  expect(skipped?.note).toBe('nothing switches it');
  expect(powerless?.attempts[0]?.errors[0]?.message).toBe('cannot cut the power of memory: nothing switches it');
  expect(run.exitCode).toBe(3);
});
