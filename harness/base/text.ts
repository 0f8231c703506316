import { stripVTControlCharacters } from 'node:util';

/**
 * Sequences that Node's function leaves parts of: with intermediate characters (`ESC [ ! p`, with which systemd 257 resets a
 * console), and strings for the terminal that end with `ESC \`.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]+[@-~]|[P^_X][^\u0007\u001b]*(?:\u001b\\|\u0007))/g;

/**
 * A line of untrusted output that is safe for a terminal: without escape sequences and control characters. For reports,
 * which keep lines and show such characters, there is `visible`; for messages of errors, `quote` and `inert`.
 */
export function printable(line: string): string {
  return (
    stripVTControlCharacters(line.replace(SEQUENCES, ''))
      .replace(/\t/g, '    ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed
      .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '')
  );
}

/** The last lines of a text, printable, without empty ones at the end. */
export function lastLines(text: string, count: number): string[] {
  return text
    .split(/\r*\n|\r(?!\n)/)
    .map(printable)
    .filter((line) => line.trim() !== '')
    .slice(-count);
}

/** Quotes one argument for a POSIX shell: the shell on the other side parses what `ssh` sends. */
export function shellQuote(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** `61.4 s`, `3 min 5 s`, `120 ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** `1.5 GiB`, `300 MiB`, `12 KiB`, `7 B`. */
export function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  if (bytes >= 2 ** 20) return `${Math.round(bytes / 2 ** 20)} MiB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KiB` : `${bytes} B`;
}

/** `a, b, c and 4 more`: no more than `most` names. */
export function some(names: readonly string[], most = 5): string {
  return `${names.slice(0, most).join(', ')}${names.length > most ? ` and ${names.length - most} more` : ''}`;
}
