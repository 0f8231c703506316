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
import { printable } from '../base/text.ts';
import { Interrupted } from '../run/cell/step.ts';

/**
 * The exit code that each cause of a failed command stands for: the first row that fits. There is no 1 in it: that only
 * ever means that a voting cell failed, or that a comparison found what it was asked to fail on.
 */
const EXIT_CODES: readonly (readonly [fits: (error: unknown) => boolean, exitCode: 2 | 3 | 130])[] = [
  [(error) => error instanceof Interrupted, 130],
  [(error) => error instanceof ConfigError, 2],
  [(error) => error instanceof InfraError, 3],
  // Outside of a run's cells, where nothing votes: a shell whose machine did not come up.
  [(error) => [StackError, SuiteError, UnsupportedError].some((kind) => error instanceof kind), 3],
  // What is left of our own errors is about files that were given: events that are damaged, or in two versions.
  [(error) => error instanceof HarnessError, 2],
  [isSystemError, 3],
  // A fault of the harness itself says nothing about what was to be tested.
  [() => true, 3],
];

/** The exit code for what a command threw; of several errors the gravest. */
export function exitCodeOf(error: unknown): 2 | 3 | 130 {
  if (error instanceof AggregateError && error.errors.length > 0)
    return Math.max(...error.errors.map(exitCodeOf)) as 2 | 3 | 130;
  return EXIT_CODES.find(([fits]) => fits(error))![1];
}

/**
 * Prints an error on stderr: the message, the reasons behind it, the end of the console, the next step.
 * @returns the exit code that it stands for.
 */
export function reportFailure(error: unknown): 2 | 3 | 130 {
  print(linesOf(error, 'error'));
  return exitCodeOf(error);
}

/** Prints what went wrong after the outcome was decided: it changes nothing about the exit code. */
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
  // A library that says in a sentence what is the matter; where in it, helps nobody.
  if (label === 'warning') return [`${label}: ${messageOf(error)}`];
  return [
    `${label}: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}`,
    'This is a fault of the harness. Please report it with the lines above.',
  ];
}

function ourLines(error: HarnessError, label: string): string[] {
  const lines = [`${label}: ${error.message}`];
  for (let cause = error.cause; cause instanceof Error && lines.length < 6; cause = cause.cause) {
    if (!error.message.includes(cause.message)) lines.push(`reason: ${cause.message}`);
  }
  const tail = error instanceof InfraError || error instanceof StackError ? error.consoleTail : [];
  if (tail.length > 0) lines.push('console:', ...tail.map((line) => `  ${line}`));
  if (error.hint) lines.push(`next: ${error.hint}`);
  return lines;
}
