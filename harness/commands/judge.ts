import { formatBytes } from '../base/text.ts';
import type { Attempt, ErrorData, TestFinished } from '../events/types.ts';
import type { ForeignAttempt, ForeignResults, ForeignTest } from '../results/index.ts';
import { type CommandEnd, MAX_OUTPUT } from './runner.ts';

/** A test of a command as in its event; the cell is added later. */
export type CommandTest = Omit<TestFinished, 'type' | 'cell' | 'step'>;

/** One run of a command, and its results. */
export interface Finished {
  /** The command as reports name it. */
  readonly label: string;
  readonly end: CommandEnd;
  /** Absent: there is only its exit code. */
  readonly results?: ForeignResults;
  /** Whether they are in its output. */
  readonly printed?: boolean;
  /** Its deadline in milliseconds. */
  readonly deadlineMs: number;
  /** The last lines that it printed, both streams. */
  readonly tail: readonly string[];
}

/** The most of a test's own output that is kept, in characters. */
const MAX_TEST_OUTPUT = 16_384;

/** The file under which a command itself is a test. */
export const COMMAND_FILE = 'command';

/**
 * Turns a run of a command into tests. With results, each of theirs; the command itself becomes another test only if it
 * adds something: it did not end properly, or the results are not complete.
 */
export function judge(finished: Finished): CommandTest[] {
  const { label, end, results } = finished;
  const tests = results === undefined ? [] : foreignTests(label, results);
  const complaint = complaintOf(finished, tests);
  if (results !== undefined && complaint === undefined) return tests;
  return [...tests, commandTest(label, end.durationMs, complaint === undefined ? [] : [complaint])];
}

/** The command itself as a test, which fails if there are errors. */
export function commandTest(
  label: string,
  durationMs: number,
  errors: readonly ErrorData[],
  wrong: 'failed' | 'infra' | 'emulator' = 'failed',
): CommandTest {
  const verdict = errors.length > 0 ? wrong : 'passed';
  return { file: COMMAND_FILE, name: label, verdict, durationMs, attempts: [{ verdict, durationMs, errors }] };
}

/** The tests that a command's results name. */
export function foreignTests(label: string, results: ForeignResults): CommandTest[] {
  return results.tests.map((test) => {
    const { file, line, output } = test;
    return {
      file: label,
      name: test.id,
      ...outcomeOf(test),
      ...(file === undefined ? {} : { place: { file, ...(line === undefined ? {} : { line }) } }),
      ...(output === undefined ? {} : { output: output.slice(-MAX_TEST_OUTPUT) }),
    };
  });
}

/** Maps a foreign verdict; a known failure counts as in its own tool. */
function outcomeOf(test: ForeignTest): Pick<CommandTest, 'verdict' | 'durationMs' | 'attempts' | 'note'> {
  const durationMs = Math.round(test.durationMs ?? 0);
  const because = test.reason === undefined ? '' : `: ${test.reason}`;
  switch (test.verdict) {
    case 'skipped':
      return { verdict: 'skipped', durationMs, attempts: [], note: test.reason ?? 'no reason is given' };
    case 'expected failure':
      return { verdict: 'passed', durationMs, attempts: [passed(durationMs)], note: `failed as expected${because}` };
    case 'unexpected success': {
      const note = `passed, and was expected to fail${because}`;
      if (test.allowed) return { verdict: 'passed', durationMs, attempts: [passed(durationMs)], note };
      return { verdict: 'failed', durationMs, attempts: [failed(test, durationMs, note)], note };
    }
    case 'flaky':
      return { verdict: 'flaky', durationMs, attempts: (test.attempts ?? []).map(attemptOf) };
    case 'passed':
      return { verdict: 'passed', durationMs, attempts: [passed(durationMs)] };
    case 'failed':
    case 'error':
      return {
        verdict: 'failed',
        durationMs,
        attempts: test.attempts ? test.attempts.map(attemptOf) : [failed(test, durationMs)],
      };
  }
}

function attemptOf(attempt: ForeignAttempt): Attempt {
  const durationMs = Math.round(attempt.durationMs ?? 0);
  return attempt.verdict === 'passed' ? passed(durationMs) : failed(attempt, durationMs);
}

function passed(durationMs: number): Attempt {
  return { verdict: 'passed', durationMs, errors: [] };
}

function failed(
  { verdict, message, details }: Pick<ForeignTest, 'verdict' | 'message' | 'details'>,
  durationMs: number,
  otherwise = 'no message is given',
): Attempt {
  const type = verdict === 'error' ? 'Error' : 'Failure';
  const error = { type, message: message ?? otherwise, ...(details === undefined ? {} : { stack: details }) };
  return { verdict: 'failed', durationMs, errors: [error] };
}

/** A disk with less free space is full: 1 MiB, and as many files as anything creates at once. */
const FULL_BYTES = 2 ** 20;
const FULL_FILES = 10;

/** Ended by SIGKILL, or a shell's word for a program that was. */
const NO_MEMORY = 'Had it too little memory? --memory, or machine.memory in suite.yaml.';

/** Problems of a command other than failed tests in its results. */
function complaintOf(finished: Finished, tests: readonly CommandTest[]): ErrorData | undefined {
  const { label, end, results, printed, deadlineMs, tail } = finished;
  const full = (end.freeBytes ?? Infinity) < FULL_BYTES || (end.freeFiles ?? Infinity) < FULL_FILES;
  const say = (message: string, hint?: string): ErrorData => ({
    type: 'CommandError',
    message: `\`${label}\` ${message}${full ? "; the machine's disk is full" : ''}`,
    ...(full
      ? { hint: 'Give the machine a larger disk: --disk, or machine.disk in suite.yaml.' }
      : hint === undefined
        ? {}
        : { hint }),
    ...(tail.length > 0 ? { causes: [tail.join('\n')] } : {}),
  });
  if (end.problem !== undefined)
    return say(
      `could not be started: ${end.problem}`,
      'Is the package that has it in --packages, or in stack.packages of suite.yaml?',
    );
  if (end.late) {
    const silent = end.silentSeconds > 1 ? `; it had printed nothing for ${end.silentSeconds} s` : '';
    return say(
      `did not end within ${Math.round(deadlineMs / 1000)} s${silent}`,
      'Give it more native seconds: --timeout, or seconds in suite.yaml.',
    );
  }
  if (end.signal !== undefined)
    return say(`was ended by ${nameOfSignal(end.signal)}`, end.signal === 9 ? NO_MEMORY : undefined);
  if (printed && end.lostBytes > 0)
    return say(
      `printed more than ${formatBytes(MAX_OUTPUT)}, so that its results are not whole`,
      'Let it write them to a file.',
    );
  const problems = (results?.problems ?? []).filter(({ severity }) => severity === 'error');
  if (problems.length > 0)
    return say(
      `exited with ${end.exitCode}, and its results are not whole: ${problems.map(({ message }) => message).join('; ')}`,
    );
  if (end.exitCode === 0 || tests.some(({ verdict }) => verdict === 'failed')) return undefined;
  const last = tail.at(-1);
  const said = results === undefined ? (last === undefined ? '' : `: ${last}`) : ', and no test of its results failed';
  return say(`exited with ${end.exitCode}${said}`, end.exitCode === 128 + 9 ? NO_MEMORY : undefined);
}

/** Signals that end commands; the numbers are those of every architecture of Linux but Alpha, MIPS and SPARC. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
};

function nameOfSignal(signal: number): string {
  return SIGNALS[signal] ?? `signal ${signal}`;
}
