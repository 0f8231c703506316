import { printable } from '../../base/text.ts';

/** Lines of context before and after. */
const AROUND = 2;

/** Longer lines are cut. */
const WIDTH = 110;

/**
 * A few lines of a file around a position, numbered as in vitest: `> 13 | expect(n).toBe(800)`, with the column marked
 * below. Empty if the file has no such line.
 * @param line from 1.
 * @param column from 1.
 */
export function codeFrame(source: string, line: number, column?: number): string[] {
  const lines = source.split('\n');
  if (lines[line - 1] === undefined) return [];
  const from = Math.max(0, line - 1 - AROUND);
  const to = Math.min(lines.length, line + AROUND);
  const width = String(to).length;
  return lines.slice(from, to).flatMap((text, index) => {
    const number = from + index + 1;
    const shown = printable(text).slice(0, WIDTH);
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${shown}`.trimEnd();
    // A tab is drawn as four characters.
    const offset = printable(text.slice(0, (column ?? 1) - 1)).length;
    const points = number === line && column !== undefined && offset < WIDTH;
    return points ? [row, `  ${' '.repeat(width)} | ${' '.repeat(offset)}^`] : [row];
  });
}
