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
  /** `NO_COLOR`, `FORCE_COLOR` and `TERM` are looked at. */
  readonly env: Record<string, string | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly isTty: boolean;
  /** Whether cells print what their commands print: every line is shown, so that nothing is drawn over. */
  readonly streams?: boolean;
  /** `quiet`: only the summary; `verbose`: every line that a cell says. */
  readonly verbosity?: 'quiet' | 'verbose';
  /** `--color`; absent: what `env` and the terminal say. */
  readonly color?: boolean;
  /** How long cells took before, in milliseconds, by their names. */
  readonly expectedMs?: ReadonlyMap<string, number>;
}

/** What a person sees of a run: live lines on a terminal, timestamped lines elsewhere, a summary at the end. */
export interface Terminal {
  event(event: HarnessEvent): void;
  progress(cell: string, message: string): void;
  output(cell: string, line: string): void;
  /**
   * Ends the display and prints the summary. Await it before the process exits: the last frame is drawn late.
   * @param folder the run's, as it is to be shown.
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
  // A width of 0 is what some pseudo-terminals say before anybody has told them; nothing can be drawn in it.
  const live = isTty && !streams && !verbose && env['TERM'] !== 'dumb' && stream.columns !== 0;
  if (live) return createLive({ stream, now, paint, progress });
  const create = env['GITHUB_ACTIONS'] === 'true' ? createFolded : createPlain;
  return create({ stream, now, progress, verbose });
}

/** What `--quiet` shows of a run that goes on. */
const SILENT: Display = { event: () => {}, progress: () => {}, output: () => {}, end: () => Promise.resolve() };
