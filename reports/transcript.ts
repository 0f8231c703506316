import { shellQuote } from '../harness/base/text.ts';
import type { Attempt, LogEntry } from '../harness/events/types.ts';
import { formatTime } from './words.ts';

/**
 * Output and commands of an attempt as text, in order, then the machine's console meanwhile. Untrusted: pass it to
 * `visible`. Empty if there is nothing.
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

/** A command as one would type it: for a shell command its script. */
export function commandWords(argv: readonly string[]): string {
  if (argv.length === 3 && argv[0] === 'sh' && argv[1] === '-c') return argv[2]!;
  return argv.map(shellQuote).join(' ');
}

function textLines(text: string): string[] {
  return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
}
