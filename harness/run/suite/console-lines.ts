import { open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from '../../base/text.ts';
import type { Attempt, HarnessEvent } from '../../events/types.ts';

/** A machine's console log, a file that grows. */
export interface ConsoleFile {
  readonly file: string;
  /** Prefix of each line; empty if there is only one machine. */
  readonly prefix: string;
}

/** Console output by time. Disposal ends the watch. */
export interface ConsoleLines extends Disposable {
  /** The lines between two times, in milliseconds since the epoch; if there are too many, the last ones. */
  between(fromMs: number, toMs: number): Promise<string[]>;
}

/** Milliseconds between two checks of a console's size, and so the precision of its lines' times. */
const EVERY_MS = 200;
/** Milliseconds before and after an attempt whose lines count as its own: a cause may come early, its message late. */
const AROUND_MS = 1000;
/** Maximum lines of one attempt. */
const MOST_LINES = 100;
/** Maximum bytes of a console that are read for one attempt. */
const MOST_BYTES = 256 * 1024;

/**
 * Starts watching consoles. A console has no timestamps that could be compared with a test's, so its size is recorded
 * as it grows.
 */
export function watchConsoles(files: readonly ConsoleFile[]): ConsoleLines {
  const stop = new AbortController();
  const sizes = files.map(() => [] as { readonly at: number; readonly size: number }[]);
  const look = async () => {
    const now = await Promise.all(
      files.map(({ file }) =>
        stat(file).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    const at = Date.now();
    for (const [index, size] of now.entries())
      if (sizes[index]!.at(-1)?.size !== size) sizes[index]!.push({ at, size });
  };
  // One after the other: of two at once the earlier might be the last to note a size.
  let last: Promise<void> = Promise.resolve();
  const lookNext = () => {
    last = last.then(look);
    return last;
  };
  void (async () => {
    while (!stop.signal.aborted) {
      await lookNext();
      await delay(EVERY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => {});
    }
  })();
  return {
    async between(fromMs, toMs) {
      await lookNext();
      const found = await Promise.all(
        files.map(async ({ file, prefix }, index) => {
          const noted = sizes[index]!;
          // Everything that was there at the start is older than the watch.
          const from = noted.findLast(({ at }) => at < fromMs)?.size ?? noted[0]?.size ?? 0;
          const to = noted.findLast(({ at }) => at <= toMs)?.size ?? from;
          const lines = lastLines(await textOf(file, Math.max(from, to - MOST_BYTES), to), MOST_LINES);
          return lines.map((line) => `${prefix}${line}`);
        }),
      );
      return found.flat();
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** Adds the console output during an attempt, if the attempt did not pass and there was any. */
export async function withConsole(attempt: Attempt, consoles: ConsoleLines): Promise<Attempt> {
  if (attempt.verdict === 'passed') return attempt;
  const now = Date.now();
  const from = attempt.startedAt === undefined ? now - attempt.durationMs : Date.parse(attempt.startedAt);
  // The duration of an attempt that was cut short is unknown.
  const to = attempt.durationMs > 0 ? from + attempt.durationMs : now;
  const lines = await consoles.between(from - AROUND_MS, to + AROUND_MS);
  return lines.length > 0 ? { ...attempt, console: lines } : attempt;
}

/** Emits events in order, adding console output to tests that did not pass. */
export function withConsoles(
  emit: (event: HarnessEvent) => Promise<void>,
  consoles: ConsoleLines,
): (event: HarnessEvent) => Promise<void> {
  const completed = async (event: HarnessEvent): Promise<HarnessEvent> => {
    if (event.type !== 'test.finished') return event;
    const attempts: Attempt[] = [];
    for (const attempt of event.attempts) attempts.push(await withConsole(attempt, consoles));
    return { ...event, attempts };
  };
  // Wait until an event is handed on, not until it is on disk, so that simultaneous events share one flush.
  let turn: Promise<unknown> = Promise.resolve();
  return async (event) => {
    const handed = turn.then(async () => ({ written: emit(await completed(event)) }));
    turn = handed.catch(() => {});
    const { written } = await handed;
    return written;
  };
}

async function textOf(file: string, from: number, to: number): Promise<string> {
  if (to <= from) return '';
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
