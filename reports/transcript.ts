import { shellQuote } from '../harness/base/text.ts';
import type { Attempt, LogEntry } from '../harness/events/types.ts';
import { formatTime } from './words.ts';

/**
 * What an attempt printed and ran, as plain text of several lines in the order in which it happened, then what the
 * machine's console showed meanwhile. Untrusted text: it is for `visible`. Empty where there is nothing to say.
 */
export function transcript({ log = [], console = [] }: Pick<Attempt, 'log' | 'console'>): string {
  const shown = console.length > 0 ? ["the machine's console meanwhile:", ...console.map((line) => `  ${line}`)] : [];
  return [...log.flatMap(linesOf), ...shown].join('\n');
}

function linesOf(entry: LogEntry): string[] {
  if (entry.type === 'printed') return textLines(entry.text).map((line) => `${entry.stream} | ${line}`);
  if (entry.type === 'cut') return [`… ${entry.entries} entries of ${entry.chars} characters left out …`];
  const { node, argv, exitCode, error, stdout, stderr, durationMs } = entry;
  const end = exitCode === undefined ? (error ?? 'no end') : `exit ${exitCode}`;
  return [
    `${node === undefined ? '' : `${node} `}$ ${commandWords(argv)}  (${end}, ${formatTime(durationMs)})`,
    ...textLines(stdout).map((line) => `  ${line}`),
    ...textLines(stderr).map((line) => `  stderr: ${line}`),
  ];
}

/** A command as somebody would type it: what goes through a shell is its script. */
export function commandWords(argv: readonly string[]): string {
  if (argv.length === 3 && argv[0] === 'sh' && argv[1] === '-c') return argv[2]!;
  return argv.map(shellQuote).join(' ');
}

function textLines(text: string): string[] {
  return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
}
