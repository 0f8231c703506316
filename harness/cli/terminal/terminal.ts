import type { RunResult } from '../../events/result.ts';
import type { HarnessEvent } from '../../events/types.ts';
import type { Display, TerminalStream } from './display.ts';
import { createFolded } from './folded.ts';
import { createLive } from './live.ts';
import { type Paint, paintFor } from './paint.ts';
import { createPlain } from './plain.ts';
import { Progress } from './progress.ts';
import { type SummaryOptions, summaryOf } from './summary.ts';

export interface TerminalOptions extends Pick<SummaryOptions, 'reports' | 'source'> {
  /** `process.stderr`: stdout is for data. */
  readonly stream: TerminalStream;
  /** Read for `NO_COLOR`, `FORCE_COLOR` and `TERM`. */
  readonly env: Record<string, string | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly isTty: boolean;
  /** Whether cells print the output of their commands: then every line is shown, and nothing is redrawn. */
  readonly streams?: boolean;
  /** `quiet`: only the summary; `verbose`: every line of every cell. */
  readonly verbosity?: 'quiet' | 'verbose';
  /** `--color`; absent: decided by `env` and the terminal. */
  readonly color?: boolean;
  /** Earlier durations of cells, in milliseconds, by name. */
  readonly expectedMs?: ReadonlyMap<string, number>;
}

/** The terminal output of a run: live lines on a terminal, timestamped lines elsewhere, a summary at the end. */
export interface Terminal {
  event(event: HarnessEvent): void;
  progress(cell: string, message: string): void;
  output(cell: string, line: string): void;
  /**
   * Ends the display and prints the summary. Await it before the process exits: the last frame is drawn late.
   * @param folder the displayed path of the run's folder.
   */
  done(result: RunResult, folder?: string): Promise<void>;
  /** Ends the display without a summary, so that an error can be printed below it. May be called twice. */
  stop(): Promise<void>;
}

export function createTerminal(options: TerminalOptions): Terminal {
  const { stream, env, now, isTty } = options;
  const paint = paintFor(env, isTty, options.color);
  const progress = new Progress(options.expectedMs);
  const display = displayOf(options, paint, () => progress.text(now()));
  return {
    event: (event) => {
      progress.event(event, now());
      display.event(event);
    },
    progress: (cell, message) => display.progress(cell, message),
    output: (cell, line) => display.output(cell, line),
    stop: () => display.end(),
    async done(result, folder) {
      await display.end();
      stream.write(
        summaryOf(result, paint, {
          ...options,
          ...(folder === undefined ? {} : { folder }),
          columns: isTty ? stream.columns || 80 : undefined,
        }),
      );
    },
  };
}

function displayOf(options: TerminalOptions, paint: Paint, progress: () => string): Display {
  const { stream, env, now, isTty, streams, verbosity } = options;
  if (verbosity === 'quiet') return SILENT;
  const verbose = verbosity === 'verbose';
  // Some pseudo-terminals have a width of 0 until somebody sets it; nothing can be drawn in it.
  const live = isTty && !streams && !verbose && env['TERM'] !== 'dumb' && stream.columns !== 0;
  if (live) return createLive({ stream, now, paint, progress });
  const create = env['GITHUB_ACTIONS'] === 'true' ? createFolded : createPlain;
  return create({ stream, now, progress, verbose });
}

/** The display of `--quiet` during a run. */
const SILENT: Display = { event: () => {}, progress: () => {}, output: () => {}, end: () => Promise.resolve() };
