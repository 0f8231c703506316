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

/** Height of a terminal that does not say how high it is, in lines. */
const ROWS = 24;

/** One live line a cell, and one that says how far the run is, drawn over and over. */
export function createLive(options: {
  readonly stream: TerminalStream;
  readonly now: () => number;
  readonly paint: Paint;
  /** How far the run is: the last line. */
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
    // The line below the last one belongs to the cursor.
    const shown = fitting([...lines.values()], (stream.rows ?? ROWS) - 2);
    const texts = [
      ...shown.lines.map((line) => `${markOf(line, spinner, paint)} ${line.text(now(), nameWidth, paint, columns)}`),
      ...(shown.hidden === undefined ? [] : [paint('dim', `  ${shown.hidden}`)]),
      `${drawing === undefined ? ' ' : spinner} ${progress()}`,
    ];
    // One line a cell, however narrow the terminal is at this moment.
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

/** All lines, or of more than there is room for those that one would look for first, and what the others are. */
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
