import { expect, test } from 'vitest';
import type { LogEntry } from '../../events/types.ts';
import { runInMemory } from '../../testing/memory-run.ts';
import { runSuiteProcess } from './suite-process.ts';

const IMPORTS = "import { afterAll, beforeAll, describe, expect, test } from 'multiarch-harness';\n";

/** A run of one file on a machine that says hello. */
const ran = (text: string, suite: object = {}) =>
  runInMemory({
    suites: { s: suite },
    files: { 'suites/s/a.scenario.ts': IMPORTS + text },
    machines: {
      answers: {
        hello: { stdout: 'hello\n', stderr: 'to you\n' },
        'echo $0': { stdout: 'sh\n' },
        late: { after: 'never' },
      },
    },
    runSuite: runSuiteProcess,
    run: { bench: false },
  });

/** An entry as one line, without times. */
const line = (entry: LogEntry) =>
  entry.type === 'printed'
    ? `${entry.stream}: ${entry.text.trim()}`
    : entry.type === 'command'
      ? `$ ${entry.argv.join(' ')} = ${entry.exitCode ?? entry.error} ${entry.stdout.trim()}/${entry.stderr.trim()}`
      : `cut ${entry.entries}`;

test('what a test prints and runs is in its event, in order, each attempt with its own', async () => {
  await using run = await ran(
    `let tries = 0;
     test('talks', async ({ target }) => {
       console.log('before %d', ++tries);
       const { stdout } = await target.exec(['hello']);
       console.error('after', stdout.trim());
       process.stdout.write('raw');
       expect(await target.sh('echo $0')).toBe(tries === 2 ? 'sh' : 'other');
     });
     test('is silent', () => {});`,
    { retries: 1 },
  );
  const [talks, silent] = run.cell.tests;
  expect(talks?.attempts.map(({ log }) => log?.map(line))).toEqual(
    [1, 2].map((attempt) => [
      `stdout: before ${attempt}`,
      '$ hello = 0 hello/to you',
      'stderr: after hello',
      'stdout: raw',
      '$ sh -c echo $0 = 0 sh/',
    ]),
  );
  for (const { startedAt, log } of talks!.attempts) {
    expect(Date.parse(startedAt!)).toBeGreaterThanOrEqual(Date.parse(run.result.startedAt));
    for (const { atMs } of log!.filter((entry) => entry.type !== 'cut')) expect(atMs).toBeGreaterThanOrEqual(0);
  }
  expect(silent?.attempts[0]?.log).toBeUndefined();
});

test('what hooks print is told with the test behind them, and behind the last one with its file', async () => {
  await using run = await ran(
    `beforeAll(() => { console.log('set up'); });
     afterAll(() => { console.log('cleaned up'); });
     test('one', () => { console.log('one'); });
     test('two', () => {});`,
  );
  const [one, two] = run.cell.tests;
  expect(one?.attempts[0]?.log).toMatchObject([{ text: 'set up\none\n' }]);
  expect(two?.attempts[0]?.log).toBeUndefined();
  expect(run.cell.fileOutputs).toMatchObject([
    { step: 'scenarios', file: 'a.scenario.ts', log: [{ text: 'cleaned up\n' }] },
  ]);
});

test('tests that run beside each other keep their outputs apart', async () => {
  const body = (name: string) => `async ({ target }) => {
    for (let i = 0; i < 3; i++) {
      console.log('${name}');
      await target.exec(['hello', '${name}']);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }`;
  await using run = await ran(
    `describe.concurrent('both', () => { test('a', ${body('a')}); test('b', ${body('b')}); });`,
  );
  for (const [index, name] of ['a', 'b'].entries())
    expect(run.cell.tests[index]?.attempts[0]?.log?.map(line)).toEqual(
      [1, 2, 3].flatMap(() => [`stdout: ${name}`, `$ hello ${name} = 127 /hello: not found`]),
    );
});

test.each([
  ['its worker', 'process.pid'],
  ['all of it', 'process.ppid'],
])('nothing of it is lost when the process dies: %s', async (_, pid) => {
  await using run = await ran(
    `test('dies', async ({ target }) => {
       console.log('last words');
       await target.exec(['hello']);
       process.kill(${pid}, 'SIGKILL');
       await new Promise(() => {});
     });`,
    { retries: 0 },
  );
  expect(run.cell.tests[0]?.attempts.at(-1)?.log?.map(line)).toEqual([
    'stdout: last words',
    '$ hello = 0 hello/to you',
  ]);
  // Nothing of that is the suite's fault.
  expect(run.cell).toMatchObject({ verdict: 'infra', tests: [{ verdict: 'infra' }] });
  expect(run.cell.reason).toBe('cannot finish the suite: its process was ended by SIGKILL, and not by the harness');
});

test('a command that does not end says why', async () => {
  await using run = await ran(
    `test('waits', async ({ target }) => { await target.exec(['late'], { seconds: 0.05 }); });`,
  );
  expect(run.cell.tests[0]?.attempts[0]?.log?.map(line)).toEqual([
    '$ late = cannot finish `late`: no end after 0.1 s /',
  ]);
});

test('a test that prints without end keeps its first and its last words, and the event stays small', async () => {
  await using run = await ran(
    `test('floods', async ({ target }) => {
       console.log('first');
       for (let i = 0; i < 2000; i++) { console.log('x'.repeat(500)); if (i % 10 === 0) await target.exec(['hello']); }
       console.log('last');
     });`,
  );
  const { log = [] } = run.cell.tests[0]!.attempts[0]!;
  expect(line(log[0]!)).toMatch(/^stdout: first/);
  expect(line(log.at(-1)!)).toMatch(/last$/);
  expect(log.some(({ type }) => type === 'cut')).toBe(true);
  expect(JSON.stringify(log).length).toBeLessThan(120_000);
});
