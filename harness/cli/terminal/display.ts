import type { HarnessEvent } from '../../events/types.ts';

/** What a display writes to: `process.stderr`, or an object that collects. */
export interface TerminalStream {
  write(text: string): unknown;
  /** Width and height in characters, on a terminal. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Shows a run while it goes on. */
export interface Display {
  event(event: HarnessEvent): void;
  /** The latest thing that a cell's target or step said: untrusted text, often. */
  progress(cell: string, message: string): void;
  /** A line that a command on a cell's machine printed. */
  output(cell: string, line: string): void;
  /** Resolves when nothing more will be drawn. */
  end(): Promise<void>;
}
