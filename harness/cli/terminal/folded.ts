import { uncommanded } from '../../../reports/text.ts';
import { formatDuration, printable } from '../../base/text.ts';
import type { Display, TerminalStream } from './display.ts';
import { createPlain, type PlainOptions } from './plain.ts';

/**
 * For the log of a GitHub job: tests and output of a step are printed as one collapsed group once the step is done;
 * everything else is printed at once. A group is printed as a whole, because cells run side by side and groups do not
 * nest.
 */
export function createFolded(options: PlainOptions): Display {
  const held = new Map<string, string[]>();
  const direct = createPlain(options);
  const into = (cell: string): TerminalStream => ({
    write: (text) => {
      const lines = held.get(cell) ?? [];
      lines.push(text);
      held.set(cell, lines);
    },
  });
  const displays = new Map<string, Display>();
  const folded = (cell: string): Display => {
    const display = displays.get(cell) ?? createPlain({ ...options, stream: into(cell) });
    displays.set(cell, display);
    return display;
  };
  const release = (cell: string, title: string): void => {
    const lines = held.get(cell) ?? [];
    held.delete(cell);
    if (lines.length === 0) return;
    options.stream.write(`::group::${uncommanded(printable(title))}\n${lines.join('')}::endgroup::\n`);
  };
  return {
    event(event) {
      if (event.type === 'test.finished') return folded(event.cell).event(event);
      if (event.type === 'step.finished')
        release(event.cell, `${event.cell} ${event.step} ${event.verdict} after ${formatDuration(event.durationMs)}`);
      direct.event(event);
    },
    progress: (cell, message) => direct.progress(cell, message),
    output: (cell, line) => folded(cell).output(cell, line),
    end() {
      for (const cell of held.keys()) release(cell, `${cell}, which was not done`);
      return direct.end();
    },
  };
}
