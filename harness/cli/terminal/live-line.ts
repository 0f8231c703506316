import { formatDuration, lastLines } from '../../base/text.ts';
import type { HarnessEvent, Verdict } from '../../events/types.ts';
import { verdicts } from '../../events/verdicts.ts';
import type { Paint } from './paint.ts';

/** Wider than any terminal: a console can send a line of megabytes, and it is drawn ten times a second. */
const LONGEST = 400;

/** Width of step, time and a few words beside a name, in characters. */
const ROOM = 44;

/** The content of one cell's line. */
export class LiveLine {
  readonly cell: string;
  verdict: Verdict | undefined;
  #step = 'waiting';
  #startedAt: number | undefined;
  #endedAfterMs = 0;
  #latest = '';
  #enter: string | undefined;
  /** Tests finished and planned in the current step. */
  #tests = { finished: 0, planned: 0 };

  constructor(cell: string) {
    this.cell = cell;
  }

  get started(): boolean {
    return this.#startedAt !== undefined;
  }

  progress(message: string): void {
    this.#latest =
      lastLines(message.slice(-4 * LONGEST), 1)[0]
        ?.trim()
        .slice(0, LONGEST) ?? this.#latest;
  }

  event(event: HarnessEvent, now: number): void {
    switch (event.type) {
      case 'step.started':
        this.#startedAt ??= now;
        this.#step = event.step;
        this.#latest = '';
        this.#tests = { finished: 0, planned: 0 };
        return;
      case 'tests.planned':
        this.#tests = { finished: 0, planned: event.tests.length };
        return;
      case 'test.started':
        this.progress(event.name);
        return;
      case 'test.finished':
        this.#tests.finished += 1;
        return;
      case 'log':
        this.progress(event.message);
        return;
      case 'cell.retried':
        this.progress(`its machine failed, starting another one: ${event.reason ?? event.verdict}`);
        return;
      case 'cell.finished':
        this.verdict = event.verdict;
        this.#endedAfterMs = event.durationMs;
        this.#latest = '';
        this.progress(event.reason ?? '');
        this.#enter = event.enter;
        return;
    }
  }

  /**
   * `arm64/vm/web  deploy  0:42  Setting up redis`: without the mark in front. May be too wide.
   * @param columns of the terminal; in a narrow one the parts are not aligned, so that more of them fits.
   */
  text(now: number, nameWidth: number, paint: Paint, columns = Number.POSITIVE_INFINITY): string {
    const parts = this.#parts(now, nameWidth, paint);
    return columns < nameWidth + ROOM ? parts.map((part) => part.trimEnd()).join(' ') : parts.join('  ');
  }

  #parts(now: number, nameWidth: number, paint: Paint): string[] {
    const name = this.cell.padEnd(nameWidth);
    const latest = paint('dim', this.#enter === undefined ? this.#latest : `${this.#latest} · ${this.#enter}`);
    if (this.verdict !== undefined) {
      const state = paint(verdicts[this.verdict].colour, this.verdict.padEnd(10));
      return [name, state, formatDuration(this.#endedAfterMs).padEnd(8), latest];
    }
    if (this.#startedAt === undefined) return [name, paint('dim', this.#step)];
    const tests = this.#tests.planned === 0 ? [] : [`${this.#tests.finished}/${this.#tests.planned}`];
    return [name, this.#step.padEnd(10), clockTime(now - this.#startedAt).padEnd(8), ...tests, latest];
  }
}

/** `0:42`, `12:05`: whole seconds, because tenths would flicker. */
function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
