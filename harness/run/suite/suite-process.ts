import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InfraError, SuiteError } from '../../base/errors.ts';
import { lastLines } from '../../base/text.ts';
import { errorDataOf, ReportedError } from '../../events/error-data.ts';
import { labelOf, testKey } from '../../events/identity.ts';
import type { Attempt, ErrorData, HarnessEvent, TestFinished } from '../../events/types.ts';
import type { ScenarioContext } from '../../scenario/context.ts';
import { type Journal, type JournalTest, readJournal, sharedClock } from '../../scenario/journal.ts';
import type { SuiteOrder, SuiteReport } from '../../scenario/messages.ts';
import { passedBy, verdictOf, wrongBy } from '../../scenario/thrown.ts';
import { Stopped } from '../cell/step.ts';

export interface SuiteRunOptions {
  readonly context: ScenarioContext;
  readonly emit: (event: HarnessEvent) => Promise<void>;
  readonly progress: (message: string) => void;
  /** Aborted when the target died, the cell's time is up or the run was interrupted; the reason is an Error. */
  readonly signal: AbortSignal;
  /** Whether a person is looking at a failure; deadlines do not count meanwhile. */
  readonly isPaused?: () => boolean;
  /** Milliseconds of silence, beyond a running test's deadline, after which the process counts as hung. Default 15,000. */
  readonly graceMs?: number;
}

/** The result of a suite's process. */
export interface SuiteOutcome {
  readonly finished: readonly TestFinished[];
  /** Number of files that were run. */
  readonly files: number;
  /** Names of tests or files that were not selected. */
  readonly left?: readonly string[];
  /** Why it did not finish by itself. */
  readonly cutShort?: Error;
}

/** Runs the files of a suite. Never throws for a failing test. */
export type RunSuite = (options: SuiteRunOptions) => Promise<SuiteOutcome>;

/** Milliseconds that a process may be silent beyond its test's own deadline. */
const GRACE_MS = 15_000;
/** Milliseconds within which the process must have loaded its files. */
const COLLECT_MS = 120_000;

/** This file's extension tells whether we run from source or from an installed package. */
const ending = fileURLToPath(import.meta.url).endsWith('.ts') ? 'ts' : 'js';
const modulePath = (relative: string) => fileURLToPath(new URL(`${relative}.${ending}`, import.meta.url));

/** Runs the files of a suite in a separate process and passes on its reports. Never throws for a failing test. */
export async function runSuiteProcess(options: SuiteRunOptions): Promise<SuiteOutcome> {
  const { context, emit, progress, signal, graceMs = GRACE_MS, isPaused = () => false } = options;
  const script = modulePath('../../scenario/process');
  if (!existsSync(script)) throw new InfraError(`cannot run suites: ${script} is missing`);
  const child = fork(script, [], {
    // Its own process group: Ctrl-C goes to the harness only, and the whole group can be ended at once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, VITEST: undefined, NODE_ENV: 'test', NODE_OPTIONS: undefined },
    serialization: 'advanced',
  });
  let printed = '';
  const keepPrinted = (chunk: Buffer) => {
    const text = chunk.toString();
    printed = (printed + text).slice(-20_000);
    heard();
    const [line] = lastLines(text, 1);
    if (line !== undefined) progress(line);
  };
  child.stdout?.on('data', keepPrinted);
  child.stderr?.on('data', keepPrinted);

  const finished: TestFinished[] = [];
  let files = 0;
  let left: readonly string[] = [];
  /** Files whose hooks' output has been reported. */
  const reported = new Set<string>();
  const problems: ErrorData[] = [];
  let done = false;
  let cutShort: Error | undefined;
  let writes: Promise<void> = Promise.resolve();
  const pass = (event: HarnessEvent) => {
    writes = writes.then(() => emit(event));
    // It is awaited at the end; until then a rejection must not count as unhandled.
    writes.catch(() => {});
  };
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The process has already ended.
    }
  };
  const cut = (error: Error) => {
    cutShort ??= error;
    kill();
  };
  let watchdog: NodeJS.Timeout | undefined;
  const endAfter = (ms: number, check: () => void) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(check, ms);
  };
  let heardAt = sharedClock();
  // A message shows progress; a later part that may take longer is announced in the journal only.
  const checkSilence = () => {
    if (isPaused()) {
      heardAt = sharedClock();
      return endAfter(1000, checkSilence);
    }
    const { tests, phase } = readJournal(context.journal);
    const begun =
      phase && phase.allowedMs === null ? Number.POSITIVE_INFINITY : (phase?.atMs ?? 0) + (phase?.allowedMs ?? 0);
    const due = Math.max(heardAt + context.testTimeoutMs, begun) + graceMs;
    const restMs = due - sharedClock();
    if (restMs > 0) return endAfter(Math.min(restMs, context.testTimeoutMs + graceMs), checkSilence);
    const running = tests.filter((test) => test.running).map((test) => `${test.file} > ${labelOf(test)}`);
    const silent = Math.round((sharedClock() - Math.max(heardAt, phase?.atMs ?? 0)) / 1000);
    const what = running.join(', ') || (phase ? `a hook of the suite (${phase.phase})` : 'the suite');
    cut(new SuiteError(`${what} hangs: it was silent for ${silent} s; its process was ended`));
  };
  const heard = () => {
    heardAt = sharedClock();
    endAfter(context.testTimeoutMs + graceMs, checkSilence);
  };
  const onAbort = () => cut(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  endAfter(COLLECT_MS, () =>
    cut(new SuiteError(`the suite's files were not read within ${COLLECT_MS / 1000} s; its process was ended`)),
  );

  child.on('message', (message) => {
    const report = message as SuiteReport;
    heard();
    if (report.type === 'alive') return;
    if (report.type === 'done') {
      done = true;
      files = report.files;
      left = report.left;
      problems.push(...report.problems);
      return;
    }
    const { event } = report;
    if (event.type === 'test.started') progress(event.name);
    if (event.type === 'test.finished') finished.push(event);
    if (event.type === 'file.output') reported.add(event.file);
    pass(event);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, killedBy) => {
      // vitest exits with 1 when a test failed, which has already been reported.
      if (code !== 0 && !done)
        cutShort ??=
          endedFromOutside(killedBy ?? '') ??
          new Error(`the suite's process ended with ${killedBy ?? code}: ${lastLines(printed, 8).join('\n')}`);
      resolve();
    });
    child.once('error', (error) => {
      cutShort ??= error;
      resolve();
    });
  });
  child.send({
    context,
    scenarioModule: modulePath('../../scenario/index'),
    runnerModule: modulePath('../../scenario/runner'),
  } satisfies SuiteOrder);
  await ended;
  kill();
  clearTimeout(watchdog);
  signal.removeEventListener('abort', onAbort);
  const journal = readJournal(context.journal);
  // A test that was still running was cut short by the end of its process, not by an earlier uncaught error.
  const [crash, ...crashes] = problems;
  if (crash) cutShort ??= endedFromOutside(/Worker exited unexpectedly .*signal (\w+)/.exec(rootOf(crash))?.[1] ?? '');
  const ending = cutShort ?? (crash && new ReportedError([crash, ...crashes]));
  const [problem, ...more] = [...journal.unhandled, ...problems];
  if (problem) cutShort ??= new ReportedError([problem, ...more]);
  for (const event of unreported(context, journal, finished, ending)) {
    finished.push(event);
    pass(event);
  }
  const { cell, step } = context;
  for (const [file, log] of journal.hooks)
    if (!reported.has(file)) pass({ type: 'file.output', cell, step, file, log });
  await writes;
  return { finished, files, left, ...(cutShort ? { cutShort } : {}) };
}

/** Signals that come from outside: a faulty process does not send them to itself. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** What ended a suite's process, if it was neither the suite nor the harness; otherwise undefined. */
function endedFromOutside(signal: string): InfraError | undefined {
  if (!FROM_OUTSIDE.has(signal)) return undefined;
  return new InfraError(`cannot finish the suite: its process was ended by ${signal}, and not by the harness`, {
    hint: 'Where this host has no memory left, its kernel does that: dmesg says so.',
  });
}

/** The root cause of an error. */
function rootOf({ message, causes = [] }: ErrorData): string {
  return causes.at(-1) ?? message;
}

/** Tests that started or ended but were not reported, from the journal. */
function unreported(
  { cell, step, repeat }: ScenarioContext,
  journal: Journal,
  finished: readonly TestFinished[],
  error?: Error,
): TestFinished[] {
  const reported = new Set(finished.map(testKey));
  return journal.tests
    .filter((test) => !reported.has(testKey(test)))
    .flatMap(({ file, name, nth, attempts, running, skipped }): TestFinished[] => {
      const which = { type: 'test.finished', cell, step, file, name, ...(nth === undefined ? {} : { nth }) } as const;
      if (skipped !== undefined)
        return [{ ...which, verdict: 'skipped', durationMs: 0, attempts: [], note: skipped || 'skipped in the suite' }];
      // An interrupt says nothing about the running test, so it has no result.
      if (running && error instanceof Stopped) return [];
      const all = running ? [...attempts, cutAttempt(error ?? new SuiteError('its process ended'), running)] : attempts;
      const last = all.at(-1);
      if (!last) return [];
      // A repeated test must pass every time.
      const wrong = repeat === undefined ? undefined : wrongBy(all);
      const verdict = wrong ?? (last.verdict === 'passed' ? passedBy(all) : last.verdict);
      return [
        { ...which, verdict, durationMs: all.reduce((sum, { durationMs }) => sum + durationMs, 0), attempts: all },
      ];
    });
}

/** The result of a test that was running when its process ended. */
function cutAttempt(error: Error, running: NonNullable<JournalTest['running']>): Attempt {
  const errors = [errorDataOf(error)];
  return { verdict: verdictOf(errors), durationMs: 0, errors, ...running };
}
