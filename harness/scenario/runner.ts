import {
  inject,
  type RunnerTask,
  type RunnerTestCase,
  type RunnerTestSuite,
  TestRunner,
  type TestTryOptions,
} from 'vitest';
import { request } from '../base/ask.ts';
import { propertyOf } from '../base/thrown.ts';
import { type Chooser, chooser, isStop } from '../events/chosen.ts';
import { numbered, type TestName } from '../events/identity.ts';
import type { ErrorData } from '../events/types.ts';
import { fileInSuite } from './context.ts';
import { guard, guardWhole } from './guard.ts';
import { isFresh, longestAfter, noteFresh } from './hooks.ts';
import { type JournalLine, note, sharedClock } from './journal.ts';
import { beginAttempt, beginFile, endAttempt, inTest, recordPrinting } from './recorder.ts';
import { errorData, verdictOf } from './thrown.ts';

/** Where vitest keeps the deadline of a hook that runs before tests. */
const HOOK_TIMEOUT = Symbol.for('VITEST_CLEANUP_TIMEOUT');

type Hook = (...args: never[]) => unknown;

/**
 * Runs the tests of a file like vitest, and records in the journal starts, ends, uncaught errors, and the time limit of
 * each part. Errors of a suite are converted before vitest sees them.
 */
export default class SuiteRunner extends TestRunner {
  /** Running attempts: the number of errors of earlier ones in the test's result, and the start of this one. */
  readonly #running = new Map<
    RunnerTask,
    { readonly name: TestName; readonly errors: number; readonly atMs: number }
  >();
  #last: TestName | undefined;
  #file = '';

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    recordPrinting();
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
      // vitest hears it too, and is silent unless it is the only listener. If a suite listens itself, it is in charge.
      const others = process.listeners(event as 'uncaughtException').length;
      const hear = (thrown: unknown) => {
        if (process.listeners(event as 'uncaughtException').length > others + 1) return;
        this.#note({ unhandled: this.#unhandled(event, thrown) });
      };
      process.on(event as 'uncaughtException', hear);
    }
  }

  override importFile(filepath: string, source: Parameters<TestRunner['importFile']>[1]): unknown {
    const { suite, tests } = inject('harness');
    this.#file = fileInSuite(suite, filepath);
    beginFile(this.#file);
    if (tests !== undefined) this.config.testNamePattern = patternFor(chooser(tests, suite.name), this.#file);
    return guardWhole(() => super.importFile(filepath, source));
  }

  override async onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onBeforeRunSuite(suite);
    // A file that could not be read has none.
    const hooks = (TestRunner.getSuiteHooks(suite) ?? {}) as unknown as Record<string, Hook[]>;
    for (const kind of ['beforeAll', 'afterAll', 'beforeEach', 'afterEach'])
      hooks[kind]?.forEach((hook, index, all) => {
        all[index] = this.#watched(kind, hook);
      });
  }

  override onBeforeTryTask(test: RunnerTask, options: TestTryOptions): void {
    super.onBeforeTryTask(test, options);
    const begun = nameOf(test as RunnerTestCase);
    this.#running.set(test, { name: begun, errors: test.result?.errors?.length ?? 0, atMs: performance.now() });
    beginAttempt(begun);
    this.#note({ begun, at: Date.now() });
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    await this.#stop(test);
    this.#phase('test', test.timeout);
    await this.#asking(test.fails ? undefined : (test.fullTestName ?? test.name), () =>
      guard(() => inTest(nameOf(test), () => TestRunner.getTestFn(test)())),
    );
  }

  override async onAfterRetryTask(test: RunnerTestCase, options: TestTryOptions): Promise<void> {
    await super.onAfterRetryTask(test, options);
    const { name: ended, errors: before, atMs } = this.#running.get(test)!;
    this.#running.delete(test);
    noteFresh();
    this.#last = ended;
    endAttempt(ended);
    const { result } = test;
    // vitest has the note there, and not in its types.
    if (result?.state === 'skip') return this.#note({ ended, skipped: String(propertyOf(result, 'note') ?? '') });
    const { suite } = inject('harness');
    const thrown = (result?.errors ?? []).slice(before).map((error) => errorData(error, suite));
    const failed = (result?.state === 'fail') !== (test.fails ?? false);
    const errors = failed ? thrown : [];
    const verdict = failed ? verdictOf(errors) : 'passed';
    const durationMs = Math.round(performance.now() - atMs);
    this.#note({ ended, attempt: { verdict, durationMs, errors } });
  }

  /** A hook that records its start, and throws errors that vitest can read. */
  #watched(kind: string, hook: Hook): Hook {
    const own = (hook as { [HOOK_TIMEOUT]?: number })[HOOK_TIMEOUT];
    const watched = (...args: never[]) => {
      const { hookTimeout } = this.config;
      this.#phase(kind, own ?? (kind.startsWith('after') ? Math.max(hookTimeout, longestAfter()) : hookTimeout));
      return this.#asking(`${kind} of ${this.#file}`, () => guard(() => hook(...args)));
    };
    return Object.assign(watched, hook);
  }

  /** Asks the harness at a failure, so that a person can look at the state that the test left before it is cleaned up. */
  async #asking<T>(what: string | undefined, work: () => Promise<T>): Promise<T> {
    const { pause, controlSocket, suite } = inject('harness');
    if (!pause || what === undefined) return work();
    try {
      return await work();
    } catch (thrown) {
      // A test that skips itself, or is cancelled, has not failed.
      if (propertyOf(thrown, 'code') !== 'VITEST_PENDING') {
        const [first] = Array.isArray(thrown) ? thrown : [thrown];
        const { message, type } = errorData(first, suite);
        await request(controlSocket, { do: 'pause', failed: what, why: message || type }).catch(() => {});
      }
      throw thrown;
    }
  }

  /** Stops before the test whose machine somebody wants to see, with the machine as the test finds it. */
  async #stop(test: RunnerTestCase): Promise<void> {
    const { stopAt, controlSocket, suite } = inject('harness');
    if (stopAt === undefined) return;
    const { file, name } = nameOf(test);
    const names = testsOf(test.file.tasks).map(({ fullTestName, name: own }) => ({ file, name: fullTestName ?? own }));
    if (!isStop(stopAt, { file, name }, names)) return;
    // Otherwise the test would reset it, with the first of its fixtures.
    if (suite.isolate === 'test' && !isFresh(test.id)) await request(controlSocket, { do: 'restore' });
    await request(controlSocket, { do: 'stop', at: `${file} > ${name}` });
  }

  #phase(phase: string, allowedMs: number | undefined): void {
    const limit = allowedMs !== undefined && allowedMs > 0 && Number.isFinite(allowedMs) ? allowedMs : null;
    this.#note({ phase, atMs: sharedClock(), allowedMs: limit });
  }

  #unhandled(event: 'unhandledRejection' | 'uncaughtException', thrown: unknown): ErrorData {
    const what = event === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception';
    const running = [...this.#running.values()].map(({ name }) => `"${name.name}"`);
    const when =
      running.length > 0
        ? `while ${running.join(' and ')} ran`
        : this.#last
          ? `after "${this.#last.name}" had ended`
          : 'before any test ran';
    const error = errorData(thrown, inject('harness').suite);
    return { ...error, message: `${what} in ${this.#file} ${when}: ${error.message}` };
  }

  #note(line: JournalLine): void {
    note(inject('harness').journal, line);
  }
}

/** vitest's check of each full name: it calls `match`, which applies the pattern. */
function patternFor(chosen: Chooser, file: string): RegExp {
  const pattern = { [Symbol.match]: (name: string) => (chosen.test(file, name) ? [name] : null) };
  return pattern as unknown as RegExp;
}

function nameOf(test: RunnerTestCase): TestName {
  const { suite } = inject('harness');
  const nth = numbered(testsOf(test.file.tasks), ({ fullTestName = '' }) => fullTestName).get(test);
  return {
    file: fileInSuite(suite, test.file.filepath),
    name: test.fullTestName ?? test.name,
    ...(nth === undefined ? {} : { nth }),
  };
}

function testsOf(tasks: readonly RunnerTask[]): RunnerTestCase[] {
  return tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task.tasks) : [task]));
}
