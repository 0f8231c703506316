import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { InfraError } from '../../base/errors.ts';
import { retryUntil } from '../../base/time.ts';
import { loadSuite } from '../../config/load/load.ts';
import { errorDataOf } from '../../events/error-data.ts';
import type { HarnessEvent } from '../../events/types.ts';
import type { ScenarioContext } from '../../scenario/context.ts';
import { readJournal } from '../../scenario/journal.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import { Interrupted } from '../cell/step.ts';
import { runSuiteProcess, type SuiteOutcome } from './suite-process.ts';

const timing = { scale: 1, testTimeoutMs: 60_000 };

interface SuiteGiven extends Pick<ScenarioContext, 'testTimeoutMs' | 'tests' | 'repeat' | 'retries'> {
  /** Its suite.yaml. */
  readonly config: string;
  readonly graceMs: number;
}

/** Runs the files of a suite to their end. */
async function ran(
  scenarios: Readonly<Record<string, string>>,
  { testTimeoutMs = 60_000, config = '{}\n', graceMs = 60_000, retries = 0, ...chosen }: Partial<SuiteGiven> = {},
): Promise<SuiteOutcome & { readonly events: HarnessEvent[] }> {
  const inSuite = Object.entries(scenarios).map(([name, text]) => [`s/${name}`, text]);
  await using files = await tempFiles({ 's/suite.yaml': config, ...Object.fromEntries(inSuite) });
  const events: HarnessEvent[] = [];
  const outcome = await runSuiteProcess({
    context: {
      ...timing,
      cell: 'amd64/vm/s',
      nodes: [],
      controlSocket: join(files.folder, 'nobody'),
      suite: await loadSuite(join(files.folder, 's'), files.folder),
      step: 'scenarios',
      cacheFolder: join(files.folder, 'cache'),
      journal: join(files.folder, 'journal'),
      retries,
      testTimeoutMs,
      ...chosen,
    },
    emit: async (event) => void events.push(event),
    progress: () => {},
    signal: new AbortController().signal,
    graceMs,
  });
  return { ...outcome, events };
}

const IMPORTS =
  "import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'multiarch-harness';\n";

/** A test's errors in the order in which they are told. */
const errorsOf = (outcome: SuiteOutcome, name: string) =>
  outcome.finished.find((test) => test.name === name)?.attempts.flatMap(({ errors }) => errors) ?? [];

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
      ...timing,
      step: 'scenarios',
      cacheFolder: join(files.folder, 'cache'),
      journal,
      retries: 0,
    },
    emit: async () => {},
    progress: () => {},
    signal: end.signal,
  });
  const reached = async () => {
    const [test] = readJournal(journal).tests;
    if (!test || (until === 'ended' && test.running)) throw new Error(`the test has not ${until}`);
  };
  await retryUntil(reached, { deadlineMs: 120_000, everyMs: 20 }).finally(() => end.abort(why));
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

test('whatever a test throws is told, and the next one runs', async () => {
  const outcome = await ran({
    'a.scenario.ts': `${IMPORTS}
      const hostile = () => { const p: object = new Proxy({ secret: 'inside' }, { get() { throw p; }, getPrototypeOf() { throw p; } }); return p; };
      test('object', () => { throw { code: 14, details: 'unavailable' }; });
      test('no message', () => { throw Object.assign(new Error(), { message: undefined, code: 3 }); });
      test('several', () => { throw new AggregateError([new Error('first'), new Error('second')], 'both fail'); });
      test('none of several', () => { throw new AggregateError([]); });
      test('cause', () => { throw new Error('outer', { cause: { code: 7 } }); });
      test('proxy', () => { throw hostile(); });
      test('array', () => { throw []; });
      test('getter', () => { throw Object.defineProperty(new Error('x'), 'name', { get() { throw hostile(); } }); });
      test('difference', () => { expect({ a: 1 }).toEqual({ a: 2 }); });
      test('last', () => {});`,
  });
  const told = (name: string) => errorsOf(outcome, name).map(({ message }) => message);
  expect(outcome.cutShort).toBeUndefined();
  expect(told('object')).toEqual(["{ code: 14, details: 'unavailable' }"]);
  expect(told('no message')).toEqual(['Error without a message: { code: 3 }']);
  expect(told('several')).toEqual(['both fail', 'first', 'second']);
  expect(told('none of several')).toEqual(['']);
  expect(errorsOf(outcome, 'cause')).toMatchObject([
    { message: 'outer', causes: ['{ code: 7 }'], file: 'a.scenario.ts' },
  ]);
  expect(told('proxy')).toEqual(["{ secret: 'inside' }"]);
  expect(told('array')).toEqual(['[]']);
  expect(told('getter')).toEqual(['x']);
  const diff = errorsOf(outcome, 'difference')[0]?.diff;
  expect(diff).toContain('+   "a": 1');
  expect(diff).not.toContain('\u001b');
  expect(outcome.finished.map(({ verdict }) => verdict)).toEqual([...Array(9).fill('failed'), 'passed']);
});

test('what nobody caught is told with its stack, its file and the test that ran', async () => {
  const { cutShort, finished } = await ran({
    'a.scenario.ts': `${IMPORTS}
      const asked = Promise.withResolvers<void>();
      test('first', () => { asked.promise.then(() => { throw new Error('later'); }); });
      test('second', () => { asked.resolve(); return new Promise((resolve) => setTimeout(resolve, 100)); });
      test('third', () => { setTimeout(() => { throw { code: 9 }; }); return new Promise((resolve) => setTimeout(resolve, 100)); });`,
  });
  const error = errorDataOf(cutShort);
  expect(error).toMatchObject({
    message: 'unhandled rejection in a.scenario.ts while "second" ran: later',
    file: 'a.scenario.ts',
    line: 4,
    causes: ['also: uncaught exception in a.scenario.ts while "third" ran: { code: 9 }'],
  });
  expect(error.stack).toContain('a.scenario.ts:4');
  expect(finished.map(({ verdict }) => verdict)).toEqual(['passed', 'passed', 'passed']);
});

test('a file that is no TypeScript is told with the place in it', async () => {
  const outcome = await ran({
    'a.scenario.ts': `${IMPORTS}const answer = = 42;\n`,
    'b.scenario.ts': `${IMPORTS}import { x } from './broken.ts';\ntest('uses', () => { x(); });\n`,
    'broken.ts': 'export const x = {{;\n',
  });
  const [a, b] = outcome.finished.map(({ attempts }) => attempts[0]!.errors[0]!);
  expect(a).toMatchObject({ type: 'SyntaxError', file: 'a.scenario.ts', line: 2, column: 16 });
  expect(a!.message).toMatch(/^Unexpected token\n/);
  expect(a!.stack).toBeUndefined();
  expect(b).toMatchObject({ type: 'SyntaxError', file: 'broken.ts', line: 1 });
});

test('tests that a hook kept from running failed because of it', async () => {
  const outcome = await ran({
    'a.scenario.ts': `${IMPORTS}
      beforeAll(() => { throw { code: 5 }; });
      test('one', () => {});
      describe('group', () => { test('two', () => {}); test.skip('three', () => {}); });`,
    'b.scenario.ts': `${IMPORTS}
      describe('each', () => { beforeEach(() => { throw new Error('before each'); }); test('four', () => {}); });
      describe('late', () => { afterAll(() => { throw new Error('after all'); }); test('five', ({ skip }) => skip('not here')); });
      test('six', () => {});`,
  });
  expect(outcome.finished.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['group > three', 'skipped'],
    ['one', 'failed'],
    ['group > two', 'failed'],
    ['each > four', 'failed'],
    ['late > five', 'skipped'],
    ['six', 'passed'],
    ['(the file itself)', 'failed'],
  ]);
  for (const name of ['one', 'group > two'])
    expect(errorsOf(outcome, name)).toMatchObject([{ message: '{ code: 5 }' }]);
  expect(errorsOf(outcome, 'each > four')).toMatchObject([{ message: 'before each' }]);
  expect(errorsOf(outcome, '(the file itself)')).toMatchObject([
    { message: 'after all', file: 'b.scenario.ts', line: 4 },
  ]);
});

const hangs = '() => new Promise(() => {})';
/** What is silent for 5.7 seconds is ended, which is less than what follows takes, and more than a busy host holds up. */
const SHORT = { testTimeoutMs: 3000, graceMs: 2700 };

// Most of their time is waiting.
describe.concurrent('deadlines', () => {
  test('each attempt of a test that hangs has its own deadline, and what is behind it runs', async () => {
    const { finished, cutShort } = await ran(
      {
        'a.scenario.ts': `${IMPORTS}
          test('hangs', ${hangs});
          test.skip('is left out', () => {});
          test('hangs by its own rules', { timeout: 1200, retry: 4 }, ${hangs});
          test('is repeated', { repeats: 3 }, () => new Promise((resolve) => setTimeout(resolve, 1600)));
          test('is last', () => {});`,
      },
      { ...SHORT, retries: 1 },
    );
    expect(cutShort).toBeUndefined();
    expect(finished.map(({ name, verdict, attempts }) => [name, verdict, attempts.length])).toEqual([
      ['hangs', 'failed', 2],
      ['is left out', 'skipped', 0],
      ['hangs by its own rules', 'failed', 5],
      ['is repeated', 'passed', 4],
      ['is last', 'passed', 1],
    ]);
    expect(finished[0]!.attempts[1]!.errors[0]!.message).toMatch(/^Test timed out in 3000ms/);
  });

  test('a second attempt that blocks its process for a while is given its time, one that spins for ever is ended', async () => {
    const block = (ms: number) => `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});`;
    const { finished, cutShort } = await ran(
      {
        'a.scenario.ts': `${IMPORTS}
          let tries = 0;
          test('blocks', { timeout: 20000 }, () => { ${block(6500)} if (++tries === 1) throw new Error('once more'); });
          test('twice', () => {});
          test('twice', () => { for (;;); });
          test('never', () => {});`,
      },
      { ...SHORT, retries: 1 },
    );
    expect(cutShort?.message).toMatch(
      /^a.scenario.ts > twice \(2\) hangs: it was silent for \d+ s; its process was ended$/,
    );
    expect(finished.map(({ name, nth, verdict }) => [name, nth, verdict])).toEqual([
      ['blocks', undefined, 'flaky'],
      ['twice', 0, 'passed'],
      ['twice', 1, 'failed'],
    ]);
  });

  test('hooks have their own deadlines, also several and those that are longer than a test’s', async () => {
    const wait = (ms: number) => `() => new Promise((resolve) => setTimeout(resolve, ${ms}))`;
    const { finished, cutShort } = await ran(
      {
        'a.scenario.ts': `${IMPORTS}
          beforeAll(${wait(1300)});
          beforeAll(${wait(1300)});
          beforeAll(${wait(1300)});
          beforeAll(${wait(1300)});
          beforeAll(${wait(1300)});
          beforeAll(${wait(6500)}, 20000);
          afterAll(${wait(6500)}, 20000);
          test('one', () => {});`,
        'b.scenario.ts': `${IMPORTS}test('two', () => {});`,
      },
      SHORT,
    );
    expect(cutShort).toBeUndefined();
    expect(finished.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['one', 'passed'],
      ['two', 'passed'],
    ]);
  });
});

test.each([
  ['a test', `test('one', () => {}); test.only('two', () => {});`, 'two'],
  ['a group', `test('one', () => {}); describe.only('group', () => { test('two', () => {}); });`, 'group > two'],
])('`.only` on %s fails in CI, and runs alone elsewhere', async (_, text, name) => {
  const inCi = async (ci: string) => {
    vi.stubEnv('CI', ci);
    const outcome = await ran({ 'a.scenario.ts': `${IMPORTS}${text}` });
    vi.unstubAllEnvs();
    return outcome;
  };
  const outcome = await inCi('true');
  expect(verdictsOf(outcome)).toEqual({ one: 'skipped', [name]: 'failed' });
  expect(errorsOf(outcome, name)[0]?.message).toMatch(/^`\.only` was left in:/);
  expect(verdictsOf(await inCi('false'))).toEqual({ one: 'skipped', [name]: 'passed' });
});

function verdictsOf({ finished }: SuiteOutcome): Record<string, string> {
  return Object.fromEntries(finished.map(({ name, verdict }) => [name, verdict]));
}

test('only what is chosen runs, with its hooks, and everything else is told apart from it', async () => {
  const outcome = await ran(
    {
      'a.scenario.ts': `${IMPORTS}
        let ready = 0;
        beforeAll(() => { ready++; });
        describe('group', () => {
          beforeAll(() => { ready++; });
          test('one', () => { expect(ready).toBe(2); });
          test('two', () => { throw new Error('it was not to run'); });
        });
        describe('other', () => {
          beforeAll(() => { throw new Error('it was not to run'); });
          test('three', () => {});
        });`,
      'b.scenario.ts': `${IMPORTS} throw new Error('it was not to be read');`,
    },
    { tests: { names: ['/one$/', 'nobody'], files: ['a.*'] } },
  );
  expect(outcome.finished.map(({ name, verdict }) => [name, verdict])).toEqual([['group > one', 'passed']]);
  expect(outcome.left).toEqual(['group > two', 'other > three']);
  const planned = outcome.events.find(({ type }) => type === 'tests.planned');
  expect(planned).toMatchObject({ tests: [{ file: 'a.scenario.ts', name: 'group > one' }] });
});

test('a test is repeated whatever it comes to, and every attempt is kept', async () => {
  const { finished } = await ran(
    { 'a.scenario.ts': `${IMPORTS} let times = 0; test('one', () => { expect(++times % 3).not.toBe(0); });` },
    { repeat: 7 },
  );
  expect(finished.map(({ verdict }) => verdict)).toEqual(['failed']);
  expect(finished[0]!.attempts.map(({ verdict, errors }) => `${verdict} ${errors.length}`)).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((time) => (time % 3 === 0 ? 'failed 1' : 'passed 0')),
  );
});
