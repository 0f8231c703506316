import { appendFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { lastLines, printable } from '../base/text.ts';
import type { OutputStream } from './runner.ts';

/** A command's output on its way to a file and to the user. */
export interface OutputLog {
  /** Another command begins: what was printed until now is none of its last lines. */
  begin(): void;
  add(stream: OutputStream, chunk: Buffer): void;
  /** The last lines of the command, both streams, printable; one that has no end yet is among them. */
  tail(count: number): string[];
  /** Resolves when everything is in the file. */
  end(): Promise<void>;
}

/**
 * Writes a command's output to a file line by line, and shows each line once it is written.
 * @param file appended to.
 */
export function outputLog(file: string, show: (line: string) => void): OutputLog {
  const open = { stdout: stream(), stderr: stream() };
  let recent = '';
  let writes: Promise<void> = Promise.resolve();
  const keep = (lines: readonly string[]) => {
    if (lines.length === 0) return;
    const shown = lines.map(printable);
    recent = `${recent}${shown.join('\n')}\n`.slice(-20_000);
    writes = writes.then(async () => {
      await appendFile(file, `${shown.join('\n')}\n`);
      shown.forEach(show);
    });
    // The error is thrown when the end is awaited.
    writes.catch(() => {});
  };
  const finish = () => {
    for (const one of Object.values(open)) keep(one.rest());
  };
  return {
    begin() {
      finish();
      recent = '';
    },
    add: (name, chunk) => keep(open[name].lines(chunk)),
    tail(count) {
      const partial = Object.values(open).flatMap((one) => one.partial().map(printable));
      return lastLines(`${recent}${partial.join('\n')}`, count);
    },
    async end() {
      finish();
      await writes;
    },
  };
}

/** The longest line kept in one piece, in characters: a command may print forever without a newline. */
const MAX_LINE = 8192;

function stream() {
  const decoder = new StringDecoder('utf8');
  let partial = '';
  return {
    lines(chunk: Buffer): string[] {
      const lines = (partial + decoder.write(chunk)).split('\n');
      partial = lines.pop() ?? '';
      if (partial.length > MAX_LINE) {
        lines.push(partial);
        partial = '';
      }
      // A progress bar overwrites its line: only the final text is kept.
      return lines.map((line) => line.replace(/\r$/, '').replace(/^.*\r/s, ''));
    },
    partial: (): string[] => (partial === '' ? [] : [partial]),
    rest(): string[] {
      const left = partial;
      partial = '';
      return left === '' ? [] : [left];
    },
  };
}
