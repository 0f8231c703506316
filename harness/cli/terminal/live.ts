import { DefaultRenderer, Listr, ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput } from 'listr2';
import { printable } from '../../base/text.ts';
import type { HarnessEvent } from '../../events/types.ts';
import { verdicts } from '../../events/verdicts.ts';
import type { Display, TerminalStream } from './display.ts';
import { LiveLine } from './live-line.ts';
import type { Paint } from './paint.ts';
import { plural } from './plain.ts';

/** listr2 asks whether stdout is a terminal; ours is stderr, and `--json` may have stdout in a pipe. */
class StderrRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

/** A listr2 task that draws a line. */
interface Drawn {
  readonly finished: Promise<void>;
  finish(): void;
  /** Changes the task's title, once listr2 has started it. */
  show?: (title: string) => void;
}

/** A cell's line and the task that draws it. */
interface Row extends Drawn {
  readonly line: LiveLine;
}

/**
 * One live line a cell. listr2 drives tasks of its own; here each task only waits for its cell to finish, and the
 * events that come in from the run change its title.
 */
export function createLive(options: {
  readonly stream: TerminalStream;
  readonly now: () => number;
  readonly paint: Paint;
  /** How far the run is: the last line. */
  readonly progress: () => string;
}): Display {
  const { stream, now, paint, progress } = options;
  const rows = new Map<string, Row>();
  const warnings: string[] = [];
  let nameWidth = 0;
  let running: Promise<unknown> | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let overall: Drawn | undefined;

  const title = (row: Row): string => row.line.text(now(), nameWidth, paint, stream.columns);
  const refresh = (row: Row): void => row.show?.(title(row));

  const start = (cells: readonly string[]): void => {
    nameWidth = Math.max(...cells.map((cell) => cell.length), 0);
    for (const cell of cells) {
      const { promise, resolve } = Promise.withResolvers<void>();
      rows.set(cell, { line: new LiveLine(cell), finished: promise, finish: resolve });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    overall = { finished: promise, finish: resolve };
    running = listOf([...rows.values()], title, overall, progress, stream, paint).run();
    // For the elapsed time of cells that say nothing.
    ticking = setInterval(() => {
      rows.forEach(refresh);
      overall?.show?.(progress());
    }, 1000);
  };

  return {
    event(event: HarnessEvent) {
      if (event.type === 'run.started') start(event.cells.map((cell) => cell.name));
      if (event.type === 'run.resumed') start(event.cells);
      // All cells have ended by then, and their lines are drawn no more.
      if (event.type === 'control.started')
        void running?.then(() =>
          stream.write(`${event.cell}  trying ${plural(event.tests.length, 'failed test')} again on ${event.on}\n`),
        );
      if (event.type === 'log' && event.level === 'warn') {
        warnings.push(`${event.cell === undefined ? '' : `${event.cell}  `}warning: ${printable(event.message)}`);
      }
      const row = 'cell' in event && event.cell !== undefined ? rows.get(event.cell) : undefined;
      if (row === undefined) return;
      row.line.event(event, now());
      refresh(row);
      overall?.show?.(progress());
      if (event.type === 'cell.finished') row.finish();
    },
    progress(cell, message) {
      // Shown at the next tick: a console may say a thousand lines a second.
      rows.get(cell)?.line.progress(message);
    },
    output(cell, line) {
      rows.get(cell)?.line.progress(line);
    },
    async end() {
      clearInterval(ticking);
      for (const row of rows.values()) {
        refresh(row);
        row.finish();
      }
      overall?.show?.(progress());
      overall?.finish();
      await running;
      running = undefined;
      for (const warning of warnings.splice(0)) stream.write(`${paint('yellow', warning)}\n`);
    },
  };
}

function listOf(
  rows: readonly Row[],
  title: (row: Row) => string,
  overall: Drawn,
  progress: () => string,
  stream: TerminalStream,
  paint: Paint,
) {
  const output = stream as NodeJS.WriteStream;
  const levels = ListrDefaultRendererLogLevels;
  const tasks = rows.map((row) => ({
    title: title(row),
    task: async (_context: unknown, task: { title: string; skip(): void }) => {
      row.show = (text) => {
        task.title = text;
      };
      row.show(title(row));
      await row.finished;
      const verdict = row.line.verdict ?? 'incomplete';
      // listr2 knows passed, failed and skipped; the word in the line says which kind.
      if (verdicts[verdict].bad) throw new Error(verdict);
      if (verdicts[verdict].junit === 'skipped') task.skip();
    },
  }));
  const last = {
    title: progress(),
    task: async (_context: unknown, task: { title: string; skip(): void }) => {
      overall.show = (text) => {
        task.title = text;
      };
      overall.show(progress());
      await overall.finished;
    },
  };
  return new Listr([...tasks, last], {
    concurrent: true,
    exitOnError: false,
    // Ctrl-C is the run's to handle: targets have to be released first.
    registerSignalListeners: false,
    renderer: StderrRenderer,
    rendererOptions: {
      logger: new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(output, output) }),
      // One line a cell, however narrow: listr2 cuts at the width that the terminal has at that moment.
      formatOutput: 'truncate',
      showErrorMessage: false,
      showSkipMessage: false,
      color: {
        [levels.PENDING]: (text?: string) => paint('yellow', text ?? ''),
        [levels.COMPLETED]: (text?: string) => paint('green', text ?? ''),
        [levels.FAILED]: (text?: string) => paint('red', text ?? ''),
        [levels.SKIPPED_WITH_COLLAPSE]: (text?: string) => paint('yellow', text ?? ''),
        [levels.WAITING]: (text?: string) => paint('dim', text ?? ''),
      },
    },
  });
}
