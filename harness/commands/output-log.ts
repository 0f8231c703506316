import { appendFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { lastLines, printable } from '../base/text.ts';
import type { OutputStream } from './runner.ts';

/** What a command prints, on its way to a file and to people. */
export interface OutputLog {
  /** Another command begins: what was printed until now is none of its last lines. */
  begin(): void;
  add(stream: OutputStream, chunk: Buffer): void;
  /** The last lines of the command, both streams, printable; one that has no end yet is among them. */
  tail(count: number): string[];
  /** Resolves when all of it is in the file. */
  end(): Promise<void>;
}

/**
 * Keeps what a command prints in a file, line by line as it comes, and shows each line once it is there.
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
    // It is thrown where the end is awaited.
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

/** The longest line that is kept in one piece, in characters: a command may print without an end of line for ever. */
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
      // A progress bar writes over its line: what stands in the end is what a person would see.
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
