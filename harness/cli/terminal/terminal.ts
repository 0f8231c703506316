import type { RunResult } from '../../events/result.ts';
import type { HarnessEvent } from '../../events/types.ts';
import type { TerminalStream } from './display.ts';
import { createLive } from './live.ts';
import { paintFor } from './paint.ts';
import { createPlain } from './plain.ts';
import { summaryOf } from './summary.ts';

export interface TerminalOptions {
  /** `process.stderr`: stdout is for data. */
  readonly stream: TerminalStream;
  /** `NO_COLOR`, `FORCE_COLOR` and `TERM` are looked at. */
  readonly env: Record<string, string | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly isTty: boolean;
  /** Whether cells print what their commands print: every line is shown, so that nothing is drawn over. */
  readonly streams?: boolean;
  /** Where the reports are, for the closing summary. */
  readonly reports?: string;
}

/** What a person sees of a run: live lines on a terminal, timestamped lines elsewhere, a summary at the end. */
export interface Terminal {
  event(event: HarnessEvent): void;
  progress(cell: string, message: string): void;
  output(cell: string, line: string): void;
  /** Ends the display and prints the summary. Await it before the process exits: the last frame is drawn late. */
  done(result: RunResult): Promise<void>;
  /** Ends the display without a summary, so that an error can be printed below it. May be called twice. */
  stop(): Promise<void>;
}

export function createTerminal({ stream, env, now, isTty, streams, reports }: TerminalOptions): Terminal {
  const paint = paintFor(env, isTty);
  // A width of 0 is what some pseudo-terminals say before anybody has told them; nothing can be drawn in it.
  const live = isTty && !streams && env['TERM'] !== 'dumb' && stream.columns !== 0;
  const display = live ? createLive({ stream, now, paint }) : createPlain({ stream, now });
  return {
    event: (event) => display.event(event),
    progress: (cell, message) => display.progress(cell, message),
    output: (cell, line) => display.output(cell, line),
    stop: () => display.end(),
    async done(result) {
      await display.end();
      stream.write(summaryOf(result, paint, reports));
    },
  };
}
