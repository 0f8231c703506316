import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InfraError, SuiteError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import type { Attempt, HarnessEvent, TestFinished } from '../events/types.ts';
import type { ScenarioContext } from '../scenario/context.ts';
import { readJournal } from '../scenario/journal.ts';
import type { SuiteOrder, SuiteReport } from '../scenario/messages.ts';
import { verdictOf } from '../scenario/thrown.ts';
import { errorDataOf } from './error-data.ts';
import { Interrupted } from './step.ts';

export interface SuiteRunOptions {
  readonly context: ScenarioContext;
  readonly emit: (event: HarnessEvent) => Promise<void>;
  readonly progress: (message: string) => void;
  /** Aborted when the target died, the cell's time is up or the run was interrupted; the reason is an Error. */
  readonly signal: AbortSignal;
}

/** What a suite's process came to. */
export interface SuiteOutcome {
  readonly finished: readonly TestFinished[];
  /** Files that were run. */
  readonly files: number;
  /** Why it did not come to its end by itself. */
  readonly cutShort?: Error;
}

/** Runs the files of a suite. Never throws for a failing test. */
export type RunSuite = (options: SuiteRunOptions) => Promise<SuiteOutcome>;

/** Milliseconds beside a test's own deadline after which its process is taken to hang. */
const GRACE_MS = 15_000;
/** Milliseconds in which the process has to have read its files. */
const COLLECT_MS = 120_000;

/** This file's ending tells whether we run from source or from an installed package. */
const ending = fileURLToPath(import.meta.url).endsWith('.ts') ? 'ts' : 'js';
const modulePath = (relative: string) => fileURLToPath(new URL(`${relative}.${ending}`, import.meta.url));

/** Runs the files of a suite in a process of their own and passes on what it reports. Never throws for a failing test. */
export async function runSuiteProcess(options: SuiteRunOptions): Promise<SuiteOutcome> {
  const { context, emit, progress, signal } = options;
  const script = modulePath('../scenario/process');
  if (!existsSync(script)) throw new InfraError(`cannot run suites: ${script} is missing`);
  const child = fork(script, [], {
    // A group of its own: Ctrl-C is for the harness to handle, and everything in it can be ended at once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, VITEST: undefined, NODE_ENV: 'test', NODE_OPTIONS: undefined },
    serialization: 'advanced',
  });
  let printed = '';
  const keepPrinted = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-20_000);
  };
  child.stdout?.on('data', keepPrinted);
  child.stderr?.on('data', keepPrinted);

  const finished: TestFinished[] = [];
  const inFlight = () =>
    readJournal(context.journal)
      .filter(({ attempt }) => attempt === undefined)
      .map(({ file, name }) => `${file} > ${name}`);
  let files = 0;
  let done = false;
  let cutShort: Error | undefined;
  let writes: Promise<void> = Promise.resolve();
  const pass = (event: HarnessEvent) => {
    writes = writes.then(() => emit(event));
  };
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  };
  const cut = (error: Error) => {
    cutShort ??= error;
    kill();
  };
  let watchdog = setTimeout(() => {}, 0);
  const expect = (ms: number, what: () => string) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => cut(new SuiteError(`${what()}; its process was ended`)), ms);
  };
  const onAbort = () => cut(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  expect(COLLECT_MS, () => `the suite's files were not read within ${COLLECT_MS / 1000} s`);

  child.on('message', (message) => {
    const report = message as SuiteReport;
    expect(context.testTimeoutMs + GRACE_MS, () => {
      const names = inFlight().join(', ') || 'the suite';
      return `${names} hangs: nothing was heard of it for ${Math.round((context.testTimeoutMs + GRACE_MS) / 1000)} s`;
    });
    if (report.type === 'printed') return progress(lastLines(report.text, 1)[0] ?? '');
    if (report.type === 'done') {
      done = true;
      files = report.files;
      if (report.problem) cutShort ??= new SuiteError(report.problem);
      return;
    }
    const { event } = report;
    if (event.type === 'test.started') progress(event.name);
    if (event.type === 'test.finished') finished.push(event);
    pass(event);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, killedBy) => {
      // vitest leaves with 1 when a test failed, which has been reported by then.
      if (code !== 0 && !done)
        cutShort ??= new Error(
          `the suite's process ended with ${killedBy ?? code}: ${lastLines(printed, 8).join('\n')}`,
        );
      resolve();
    });
    child.once('error', (error) => {
      cutShort ??= error;
      resolve();
    });
  });
  child.send({ context, scenarioModule: modulePath('../scenario/index') } satisfies SuiteOrder);
  await ended;
  kill();
  clearTimeout(watchdog);
  signal.removeEventListener('abort', onAbort);
  for (const event of unreported(context, finished, cutShort)) {
    finished.push(event);
    pass(event);
  }
  await writes;
  return { finished, files, ...(cutShort ? { cutShort } : {}) };
}

/** Tests that began, or even ended, and were not reported any more: from the journal. */
function unreported(context: ScenarioContext, finished: readonly TestFinished[], error?: Error): TestFinished[] {
  const reported = new Set(finished.map(({ file, name }) => `${file} > ${name}`));
  return (
    readJournal(context.journal)
      .filter(({ file, name }) => !reported.has(`${file} > ${name}`))
      // Who interrupts says nothing about the test that was running: it never ended.
      .filter(({ attempt }) => attempt !== undefined || !(error instanceof Interrupted))
      .map(({ file, name, attempt = cutAttempt(error ?? new SuiteError('its process ended')) }) => ({
        type: 'test.finished',
        cell: context.cell,
        step: context.step,
        file,
        name,
        verdict: attempt.verdict,
        durationMs: attempt.durationMs,
        attempts: [attempt],
      }))
  );
}

/** A test that was running when its process was ended. */
function cutAttempt(error: Error): Attempt {
  const errors = [errorDataOf(error)];
  return { verdict: verdictOf(errors), durationMs: 0, errors };
}
