import { stripVTControlCharacters } from 'node:util';
import type { FoundTest, ResultsLimits } from './types.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be replaced
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Guest text without escape sequences, control characters and partial characters; lines end in `\n`. */
function inert(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, '\n').replace(CONTROL, '\ufffd').toWellFormed();
}

/** The first `most` characters, and the number of the rest. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} more characters)`;
}

/** A name: one line, trimmed. */
function nameOf(text: string, { line }: ResultsLimits): string {
  return inert(cut(text, line)).replace(/\s+/g, ' ').trim();
}

/** Several lines without empty ones at the ends; undefined if nothing remains. */
function textOf(text: string | undefined, most: number): string | undefined {
  if (text === undefined) return undefined;
  const clean = inert(cut(text, most)).replace(/^(?:[ \t]*\n)+|\s+$/g, '');
  return clean === '' ? undefined : clean;
}

/** A test with all texts cleaned and bounded, and without undefined or invalid numbers. */
export function clean(test: FoundTest, limits: ResultsLimits): FoundTest {
  const { suites, name, file, line, durationMs, reason, message, details, output, attempts } = test;
  const texts = {
    message: textOf(message, limits.line),
    details: textOf(details, limits.text),
    output: textOf(output, limits.text),
  };
  return defined({
    suites: suites.slice(0, limits.depth).map((suite) => nameOf(suite, limits)),
    name: nameOf(name, limits) || '(no name)',
    file: file === undefined ? undefined : nameOf(file, limits) || undefined,
    line: line !== undefined && Number.isSafeInteger(line) && line > 0 ? line : undefined,
    durationMs: duration(durationMs),
    verdict: test.verdict,
    reason: textOf(reason, limits.line),
    ...texts,
    attempts: attempts?.map((attempt) =>
      defined({
        verdict: attempt.verdict,
        durationMs: duration(attempt.durationMs),
        message: textOf(attempt.message, limits.line),
        details: textOf(attempt.details, limits.text),
        output: textOf(attempt.output, limits.text),
      }),
    ),
    allowed: test.allowed,
  });
}

/** Some tools round to −0.000, or measure across a change of the clock. */
function duration(ms: number | undefined): number | undefined {
  return ms !== undefined && Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Drops undefined properties. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as Defined<T>;
}
