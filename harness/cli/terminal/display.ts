import type { HarnessEvent } from '../../events/types.ts';

/** The output of a display: `process.stderr`, or an object that collects. */
export interface TerminalStream {
  write(text: string): unknown;
  /** Width and height in characters, on a terminal. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Shows a run while it runs. */
export interface Display {
  event(event: HarnessEvent): void;
  /** The latest progress of a cell's target or step; often untrusted text. */
  progress(cell: string, message: string): void;
  /** A line that a command on a cell's machine printed. */
  output(cell: string, line: string): void;
  /** Resolves when nothing more will be drawn. */
  end(): Promise<void>;
}
