import { open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from '../../base/text.ts';
import type { Attempt, HarnessEvent } from '../../events/types.ts';

/** A machine's console, as a file that grows. */
export interface ConsoleFile {
  readonly file: string;
  /** Put before each line; empty where there is one machine. */
  readonly prefix: string;
}

/** What machines' consoles show, by the time at which they showed it. Disposal ends the watch. */
export interface ConsoleLines extends Disposable {
  /** The lines from some time to another, in milliseconds since the epoch; the last ones of too many. */
  between(fromMs: number, toMs: number): Promise<string[]>;
}

/** Milliseconds between two looks at a console's size: what it shows is told to be of that time, give or take one. */
const EVERY_MS = 200;
/** Milliseconds before an attempt and after its end whose lines belong to it: a cause may come first, its message late. */
const AROUND_MS = 1000;
/** The most lines of one attempt. */
const MOST_LINES = 100;
/** The most bytes of a console that are read for one attempt. */
const MOST_BYTES = 256 * 1024;

/**
 * Watches consoles from now on. A console has no clock of its own that could be compared with a test's, so that its size is
 * noted as it grows.
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
  let last = look();
  void (async () => {
    while (!stop.signal.aborted) {
      await last;
      await delay(EVERY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => {});
      if (!stop.signal.aborted) last = look();
    }
  })();
  return {
    async between(fromMs, toMs) {
      await last;
      await look();
      const found = await Promise.all(
        files.map(async ({ file, prefix }, index) => {
          const noted = sizes[index]!;
          // What was there when the watch began is of before it.
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

/** An attempt with what consoles showed while it ran, where it did not pass and they showed anything. */
export async function withConsole(attempt: Attempt, consoles: ConsoleLines): Promise<Attempt> {
  if (attempt.verdict === 'passed') return attempt;
  const now = Date.now();
  const from = attempt.startedAt === undefined ? now - attempt.durationMs : Date.parse(attempt.startedAt);
  // One that was cut short does not know how long it took.
  const to = attempt.durationMs > 0 ? from + attempt.durationMs : now;
  const lines = await consoles.between(from - AROUND_MS, to + AROUND_MS);
  return lines.length > 0 ? { ...attempt, console: lines } : attempt;
}

/** Emits events in the order given, tests that did not pass with what consoles showed meanwhile. */
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
  // A turn ends once its event is handed on, and not once it is on disk: those of a moment share one wait for it.
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
