import { stripVTControlCharacters } from 'node:util';
import type { ErrorData } from '../harness/events/types.ts';

/**
 * Makes untrusted text safe for any report: without escape sequences; characters that are invisible, change the writing
 * direction, or are forbidden in XML are spelled out as `\x1b` or `\u202e`. Newlines and tabs stay.
 * Works on code points, before any escaping: a filter that runs after it can cut an entity in half.
 */
export function visible(text: string): string {
  return stripVTControlCharacters(text.replace(/\r\n?/g, '\n')).replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be spelled out
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\p{Surrogate}]/gu,
    (character) => {
      const code = character.codePointAt(0)!;
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}

/** Separates adjacent colons, so that no GitHub runner reads a workflow command, wherever the text ends up. */
export function uncommanded(text: string): string {
  // One at a time by what follows: replacing pairs leaves the second half of `:::` as a new pair.
  return text.replace(/:(?=:)/g, ':\u200b');
}

/** The first line of a text that is not blank, at most `limit` characters long. */
export function firstLine(text: string, limit = 300): string {
  const line =
    visible(text)
      .split('\n')
      .find((candidate) => candidate.trim() !== '')
      ?.trim() ?? '';
  return truncate(line, limit);
}

/** At most `limit` code units, never cut inside a character, ending in `…` if something was cut. */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** `suites/web/pages.scenario.ts:12:5`, or undefined. */
export function locationOf(error: ErrorData): string | undefined {
  if (error.file === undefined) return undefined;
  return visible([error.file, error.line, error.column].filter((part) => part !== undefined).join(':'));
}

/** The full text of an error, in several lines. */
export function describeError(error: ErrorData): string {
  const location = locationOf(error);
  const parts = [
    `${error.type}: ${error.message}`,
    ...(error.causes ?? []).map((cause) => `caused by: ${cause}`),
    ...(error.hint === undefined ? [] : [`hint: ${error.hint}`]),
    ...(error.diff === undefined ? [] : [`\n${error.diff}`]),
    ...(location === undefined ? [] : [`\nat ${location}`]),
    ...(error.stack === undefined ? [] : [`\n${withoutMessage(error)}`]),
    ...(error.consoleTail?.length
      ? [`\nconsole, last ${error.consoleTail.length} lines:\n${error.consoleTail.join('\n')}`]
      : []),
  ];
  return visible(parts.join('\n'));
}

/** The frames of a stack: engines repeat the message above them. */
export function withoutMessage(error: ErrorData): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+(at|❯) /.test(line));
  return frames.join('\n');
}
