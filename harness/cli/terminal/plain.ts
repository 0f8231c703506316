import { formatDuration, lastLines, printable } from '../../base/text.ts';
import { labelOf } from '../../events/identity.ts';
import type { HarnessEvent } from '../../events/types.ts';
import type { Display, TerminalStream } from './display.ts';

/** The latest progress of a cell is printed after this many milliseconds of silence. */
const QUIET_MS = 10_000;

/** Progress that has not changed since it was last printed is printed again after this many milliseconds. */
const UNCHANGED_MS = 60_000;

export interface PlainOptions {
  readonly stream: TerminalStream;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Prints the progress of the run whenever a cell has finished. */
  readonly progress?: () => string;
  /** Prints every line of progress, not only those of a quiet cell. */
  readonly verbose?: boolean;
}

/**
 * One timestamped line per event, for logs and pipes: `[12:34:56] arm64/vm/web  acquire  started`. Progress is printed
 * only as a sign of life: every line of a console would bury the rest.
 */
export function createPlain(options: PlainOptions): Display {
  const spokenAt = new Map<string, number>();
  /** The last line of progress that was printed of a cell. */
  const printed = new Map<string, string>();
  const step = new Map<string, string>();
  const print = (...parts: string[]): void => {
    options.stream.write(`[${clock(options.now())}] ${parts.join('  ')}\n`);
  };

  return {
    event(event) {
      if (event.type === 'step.started') step.set(event.cell, event.step);
      if (event.type === 'control.started') step.set(event.cell, 'control');
      const said = describe(event);
      if (said === undefined) return;
      const cell = 'cell' in event ? event.cell : undefined;
      if (cell !== undefined) spokenAt.set(cell, options.now());
      print(...(cell === undefined ? [] : [cell]), ...said);
      if (event.type === 'cell.finished' && options.progress) print(options.progress());
    },
    progress(cell, message) {
      const line = lastLines(message, 1)[0]?.trim();
      if (line === undefined) return;
      const silentMs = options.now() - (spokenAt.get(cell) ?? Number.NEGATIVE_INFINITY);
      if (!options.verbose && silentMs < (printed.get(cell) === line ? UNCHANGED_MS : QUIET_MS)) return;
      spokenAt.set(cell, options.now());
      printed.set(cell, line);
      const doing = step.get(cell);
      print(cell, ...(doing === undefined ? ['waiting', line.replace(/^waiting /, '')] : [doing, line]));
    },
    output(cell, line) {
      spokenAt.set(cell, options.now());
      options.stream.write(`${cell} | ${printable(line)}\n`);
    },
    end: () => Promise.resolve(),
  };
}

/** `12:34:56`, in this machine's time zone, as the rest of a build log is. */
function clock(ms: number): string {
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** The text of an event, without the cell; undefined if the log does not need it. */
function describe(event: HarnessEvent): string[] | undefined {
  switch (event.type) {
    case 'run.started':
      return [`run ${event.run}: ${plural(event.cells.length, 'cell')}, ${event.jobs} at once (${event.jobsReason})`];
    case 'run.resumed': {
      const how = `${plural(event.cells.length, 'cell')} left, ${event.jobs} at once (${event.jobsReason})`;
      return [`run ${event.run} goes on: ${how}`];
    }
    case 'step.started':
      return [event.step, 'started'];
    case 'step.finished': {
      const why = event.error === undefined ? event.note : lastLines(event.error.message, 999)[0];
      return [event.step, `${event.verdict} after ${formatDuration(event.durationMs)}`, ...(why ? [why] : [])];
    }
    case 'cell.facts':
      return [`${event.facts.accelerator}, ${event.facts.cpu}, ${plural(event.facts.vcpus, 'vCPU')}`];
    case 'cell.scale':
      return [`deadlines × ${event.factor.toFixed(1)} (${event.source})`];
    case 'tests.planned':
      return [event.step, `${plural(event.tests.length, 'test')} planned`];
    case 'test.finished':
      return [event.step, `${event.verdict}  ${printable(labelOf(event))}  (${formatDuration(event.durationMs)})`];
    case 'log':
      return [...(event.level === 'warn' ? ['warning:'] : []), ...lastLines(event.message, 1)];
    case 'cell.finished':
      return [
        `${event.verdict} after ${formatDuration(event.durationMs)}`,
        ...(event.reason ? [event.reason] : []),
        ...(event.enter ? [`enter it with: ${event.enter}`] : []),
      ];
    case 'cell.retried':
      return [
        `machine ${event.attempt}: ${event.verdict}, starting another one`,
        ...(event.reason ? [event.reason] : []),
      ];
    case 'control.started':
      return [`trying ${plural(event.tests.length, 'failed test')} again on ${event.on}`];
    case 'control.finished':
      return [
        `re-run on ${event.on}: ${event.verdict}  ${printable(labelOf(event))}  (${formatDuration(event.durationMs)})`,
        ...(event.reason ? lastLines(event.reason, 1) : []),
      ];
    // A test's start and a benchmark's samples are in the events; the end of the run is the summary's.
    case 'test.started':
    case 'benchmark.finished':
    case 'file.output':
    case 'run.finished':
      return undefined;
  }
}

/** `1 cell`, `3 cells`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
