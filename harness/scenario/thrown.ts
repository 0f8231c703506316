import { dirname, isAbsolute, sep } from 'node:path';
import { propertyOf } from '../base/thrown.ts';
import type { Suite } from '../config/suite.ts';
import { errorDataOf } from '../events/error-data.ts';
import type { Attempt, ErrorData } from '../events/types.ts';
import { fileInSuite } from './context.ts';

/** An assertion is the suite's fault; a lost connection or a dead emulator is not. */
export function verdictOf(errors: readonly ErrorData[]): 'failed' | 'infra' | 'emulator' {
  if (errors.some((error) => error.type === 'EmulatorError')) return 'emulator';
  return errors.length > 0 && errors.every((error) => error.type === 'InfraError') ? 'infra' : 'failed';
}

/** The verdict of a test that finally passed; a repeated one has several attempts, all passed. */
export function passedBy(attempts: readonly Attempt[]): 'passed' | 'flaky' {
  return attempts.every(({ verdict }) => verdict === 'passed') ? 'passed' : 'flaky';
}

/** The deciding attempt of a test that did not pass: if a repeated one finally passed, its last failed attempt. */
export function wrongBy(attempts: readonly Attempt[]): Attempt['verdict'] | undefined {
  return attempts.findLast(({ verdict }) => verdict !== 'passed')?.verdict;
}

/** An error with its place in the suite, or elsewhere in the project where the suite is not on the way to it. */
export function errorData(thrown: unknown, suite: Pick<Suite, 'folder'>): ErrorData {
  const error = errorDataOf(withoutStacks(thrown));
  const place = placeOf(thrown, suite);
  return place ? { ...error, ...place, file: fileInSuite(suite, place.file) } : error;
}

/** The harness's own frames help nobody. */
const OURS = dirname(import.meta.dirname) + sep;

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** vitest adds the frames to what it sends, also to what is no error and would be inspected with them. */
function withoutStacks(thrown: unknown): unknown {
  if (propertyOf(thrown, 'stacks') === undefined || propertyOf(thrown, 'stack') !== undefined) return thrown;
  const { stacks: _stacks, ...rest } = thrown as object & { stacks: unknown };
  return rest;
}

/** The first frame of the suite, else the first outside of packages. */
function placeOf(thrown: unknown, { folder }: Pick<Suite, 'folder'>): Place | undefined {
  const stacks = propertyOf(thrown, 'stacks');
  const frames = (Array.isArray(stacks) ? stacks : framesOf(thrown))
    .filter(isPlace)
    .map(({ file, line, column }) => ({ file, line, column }));
  return (
    frames.find(({ file }) => file.startsWith(folder + sep)) ??
    frames.find(({ file }) => isAbsolute(file) && !file.split(sep).includes('node_modules') && !file.startsWith(OURS))
  );
}

/** vitest parses the stacks of tests' errors; those of uncaught errors are parsed here. */
function framesOf(thrown: unknown): unknown[] {
  const stack = propertyOf(thrown, 'stack');
  if (typeof stack !== 'string') return [];
  return [...stack.matchAll(/^\s+at .*?\(?(?:file:\/\/)?(\/[^\n()]*):(\d+):(\d+)\)?$/gm)].map(
    ([, file, line, column]) => ({
      file,
      line: Number(line),
      column: Number(column),
    }),
  );
}

function isPlace(frame: unknown): frame is Place {
  return (
    typeof propertyOf(frame, 'file') === 'string' &&
    typeof propertyOf(frame, 'line') === 'number' &&
    typeof propertyOf(frame, 'column') === 'number'
  );
}
