import {
  ConfigError,
  HarnessError,
  InfraError,
  messageOf,
  StackError,
  SuiteError,
  UnsupportedError,
} from '../base/errors.ts';
import { isSystemError, systemErrorText } from '../base/system-error.ts';
import { lastLines, printable } from '../base/text.ts';
import { Interrupted } from '../run/cell/step.ts';

/**
 * The exit code for each cause of a failed command: the first matching row counts. It is never 1, which always means
 * that a voting cell failed, or that a comparison found what it should fail on.
 */
const EXIT_CODES: readonly (readonly [fits: (error: unknown) => boolean, exitCode: 2 | 3 | 130])[] = [
  [(error) => error instanceof Interrupted, 130],
  [(error) => error instanceof ConfigError, 2],
  [(error) => error instanceof InfraError, 3],
  // Outside of a run's cells, where nothing votes: a shell whose machine did not come up.
  [(error) => [StackError, SuiteError, UnsupportedError].some((kind) => error instanceof kind), 3],
  // The rest of our own errors are about given files: events that are damaged, or in two versions.
  [(error) => error instanceof HarnessError, 2],
  [isSystemError, 3],
  // A bug in the harness says nothing about the tested project.
  [() => true, 3],
];

/** The exit code for a command's error; of several the most severe. */
export function exitCodeOf(error: unknown): 2 | 3 | 130 {
  if (error instanceof AggregateError && error.errors.length > 0)
    return Math.max(...error.errors.map(exitCodeOf)) as 2 | 3 | 130;
  return EXIT_CODES.find(([fits]) => fits(error))![1];
}

/**
 * Prints an error on stderr: the message, the reasons behind it, the end of the console, the next step.
 * @returns its exit code.
 */
export function reportFailure(error: unknown): 2 | 3 | 130 {
  print(linesOf(error, 'error'));
  return exitCodeOf(error);
}

/** Prints an error that occurred after the outcome was decided; the exit code stays. */
export function reportWarning(error: unknown): void {
  print(linesOf(error, 'warning'));
}

function print(lines: readonly string[]): void {
  process.stderr.write(
    `${lines
      .flatMap((line) => line.split('\n'))
      .map(printable)
      .join('\n')}\n`,
  );
}

function linesOf(error: unknown, label: 'error' | 'warning'): string[] {
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.flatMap((one: unknown) => linesOf(one, label));
  if (error instanceof HarnessError) return ourLines(error, label);
  if (isSystemError(error)) {
    const { message, hint } = systemErrorText(error);
    return [`${label}: ${message}`, ...(hint === undefined ? [] : [`next: ${hint}`])];
  }
  // For a library error with a clear message, its stack helps nobody.
  if (label === 'warning') return [`${label}: ${messageOf(error)}`];
  return [
    `${label}: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}`,
    'This is a bug in the harness. Please report it with the lines above.',
  ];
}

/** Lines of a program's output that are shown with an error. */
const OUTPUT_LINES = 15;

function ourLines(error: HarnessError, label: string): string[] {
  const lines = [`${label}: ${error.message}`];
  let { cause } = error;
  for (; cause instanceof Error && lines.length < 6; cause = cause.cause) {
    if (!error.message.includes(cause.message)) lines.push(`reason: ${cause.message}`);
  }
  // What a program printed.
  if (typeof cause === 'string' && !error.message.includes(cause))
    lines.push('output:', ...lastLines(cause, OUTPUT_LINES).map((line) => `  ${line}`));
  const tail = error instanceof InfraError || error instanceof StackError ? error.consoleTail : [];
  if (tail.length > 0) lines.push('console:', ...tail.map((line) => `  ${line}`));
  if (error.hint) lines.push(`next: ${error.hint}`);
  return lines;
}
