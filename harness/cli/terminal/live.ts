import cliTruncate from 'cli-truncate';
import { createLogUpdate } from 'log-update';
import { printable } from '../../base/text.ts';
import type { HarnessEvent } from '../../events/types.ts';
import { verdicts } from '../../events/verdicts.ts';
import type { Display, TerminalStream } from './display.ts';
import { LiveLine } from './live-line.ts';
import type { Paint } from './paint.ts';
import { plural } from './plain.ts';

/** Milliseconds between two frames. */
const FRAME_MS = 100;

const SPINNER = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];

/** Default height of a terminal, in lines. */
const ROWS = 24;

/** One live line per cell, and one with the progress of the run, redrawn repeatedly. */
export function createLive(options: {
  readonly stream: TerminalStream;
  readonly now: () => number;
  readonly paint: Paint;
  /** The progress of the run: the last line. */
  readonly progress: () => string;
}): Display {
  const { stream, now, paint, progress } = options;
  const lines = new Map<string, LiveLine>();
  const warnings: string[] = [];
  const update = createLogUpdate(stream as NodeJS.WriteStream);
  let nameWidth = 0;
  let frame = 0;
  let drawing: NodeJS.Timeout | undefined;

  const draw = (): void => {
    const spinner = paint('yellow', SPINNER[frame++ % SPINNER.length]!);
    const columns = stream.columns ?? 80;
    // The cursor is on the line below the last.
    const shown = fitting([...lines.values()], (stream.rows ?? ROWS) - 2);
    const texts = [
      ...shown.lines.map((line) => `${markOf(line, spinner, paint)} ${line.text(now(), nameWidth, paint, columns)}`),
      ...(shown.hidden === undefined ? [] : [paint('dim', `  ${shown.hidden}`)]),
      `${drawing === undefined ? ' ' : spinner} ${progress()}`,
    ];
    // One line per cell, at the terminal's current width.
    update(texts.map((text) => cliTruncate(text, columns)).join('\n'));
  };

  const start = (cells: readonly string[]): void => {
    nameWidth = Math.max(...cells.map((cell) => cell.length), 0);
    for (const cell of cells) lines.set(cell, new LiveLine(cell));
    drawing = setInterval(draw, FRAME_MS);
  };

  return {
    event(event: HarnessEvent) {
      if (event.type === 'run.started') start(event.cells.map((cell) => cell.name));
      if (event.type === 'run.resumed') start(event.cells);
      if (event.type === 'control.started')
        update.persist(`${event.cell}  trying ${plural(event.tests.length, 'failed test')} again on ${event.on}\n`);
      if (event.type === 'log' && event.level === 'warn') {
        warnings.push(`${event.cell === undefined ? '' : `${event.cell}  `}warning: ${printable(event.message)}`);
      }
      if ('cell' in event && event.cell !== undefined) lines.get(event.cell)?.event(event, now());
    },
    progress(cell, message) {
      lines.get(cell)?.progress(message);
    },
    output(cell, line) {
      lines.get(cell)?.progress(line);
    },
    end() {
      if (drawing !== undefined) {
        clearInterval(drawing);
        drawing = undefined;
        draw();
        update.done();
      }
      for (const warning of warnings.splice(0)) stream.write(`${paint('yellow', warning)}\n`);
      return Promise.resolve();
    },
  };
}

/** All lines; if they do not fit, the most relevant ones and a summary of the others. */
function fitting(lines: readonly LiveLine[], room: number): { lines: readonly LiveLine[]; hidden?: string } {
  if (lines.length <= room) return { lines };
  const urgency = (line: LiveLine): number => {
    if (line.verdict === undefined) return line.started ? 0 : 2;
    return verdicts[line.verdict].bad ? 1 : 3;
  };
  const kept = new Set(lines.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, Math.max(0, room - 1)));
  const hidden = lines.filter((line) => !kept.has(line));
  const words = [...Map.groupBy(hidden, (line) => line.verdict ?? (line.started ? 'running' : 'waiting'))];
  return {
    lines: lines.filter((line) => kept.has(line)),
    hidden: `and ${words.map(([word, those]) => `${those.length} ${word}`).join(', ')}`,
  };
}

function markOf(line: LiveLine, spinner: string, paint: Paint): string {
  if (line.verdict === undefined) return line.started ? spinner : ' ';
  const { mark, colour } = verdicts[line.verdict];
  return paint(colour, mark);
}
