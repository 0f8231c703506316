import type { LogEntry } from './types.ts';

/** The most entries and characters that an event holds of one attempt. */
const MOST_ENTRIES = 200;
const MOST_CHARS = 64 * 1024;
/** The share of both kept from the beginning; the rest is kept from the end, where the failure is. */
const HEAD = 0.25;
/** The most characters kept of each stream of a command, and of each of its words. */
const MOST_OF_STREAM = 4096;
const MOST_OF_WORD = 1000;
const MOST_WORDS = 100;

/** Cuts the middle out of a text longer than `most` characters, not counting the note about it. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.floor(most * HEAD);
  const tail = most - head;
  return `${text.slice(0, head)}\n… ${text.length - most} characters left out …\n${text.slice(-tail)}`.toWellFormed();
}

/** A command with all of its words and streams bounded. */
export function clipCommand<T extends { argv: readonly string[]; stdout: string; stderr: string }>(command: T): T {
  const { argv, stdout, stderr } = command;
  const words = argv.slice(0, MOST_WORDS).map((word) => clip(word, MOST_OF_WORD));
  const more = argv.length > MOST_WORDS ? [`… ${argv.length - MOST_WORDS} words more`] : [];
  return {
    ...command,
    argv: [...words, ...more],
    stdout: clip(stdout, MOST_OF_STREAM),
    stderr: clip(stderr, MOST_OF_STREAM),
  };
}

/**
 * Bounds the entries of an event: consecutive output is joined into one entry, and of too many entries those in the
 * middle are left out and counted.
 */
export function bounded(entries: readonly LogEntry[]): LogEntry[] {
  const joined = join(entries);
  if (joined.length <= MOST_ENTRIES && sizeOf(joined) <= MOST_CHARS) return joined;
  const head = take(joined, HEAD);
  const tail = take(joined.slice(head.length).reverse(), 1 - HEAD).reverse();
  const left = joined.slice(head.length, joined.length - tail.length);
  if (left.length === 0) return joined;
  return [...head, { type: 'cut', entries: left.length, chars: sizeOf(left) }, ...tail];
}

/** Consecutive entries of one stream are joined, unless they are long enough already. */
function join(entries: readonly LogEntry[]): LogEntry[] {
  const joined: LogEntry[] = [];
  for (const entry of entries) {
    const last = joined.at(-1);
    const one = last?.type === 'printed' && entry.type === 'printed' && last.stream === entry.stream;
    if (one && last.text.length < MOST_OF_STREAM) joined[joined.length - 1] = { ...last, text: last.text + entry.text };
    else joined.push(entry);
  }
  return joined.map((entry) =>
    entry.type === 'printed' ? { ...entry, text: clip(entry.text, 2 * MOST_OF_STREAM) } : entry,
  );
}

/** As many from the front as their share of the bounds allows, at least one. */
function take(entries: readonly LogEntry[], share: number): LogEntry[] {
  const taken: LogEntry[] = [];
  let chars = 0;
  for (const entry of entries) {
    chars += sizeOf([entry]);
    if (taken.length > 0 && (taken.length >= share * MOST_ENTRIES || chars > share * MOST_CHARS)) break;
    taken.push(entry);
  }
  return taken;
}

function sizeOf(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, entry) => sum + charsOf(entry), 0);
}

function charsOf(entry: LogEntry): number {
  if (entry.type === 'printed') return entry.text.length;
  if (entry.type === 'cut') return entry.chars;
  return entry.argv.join(' ').length + entry.stdout.length + entry.stderr.length;
}
