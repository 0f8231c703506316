import { formatDuration } from '../../base/text.ts';
import type { HarnessEvent } from '../../events/types.ts';
import { isBad } from '../../events/verdicts.ts';
import { plural } from './plain.ts';

/** The progress of a run: cells, tests, failures, and an estimate of the remaining time from the cells' earlier durations. */
export class Progress {
  readonly #expectedMs: ReadonlyMap<string, number>;
  readonly #running = new Map<string, { startedAt: number | undefined }>();
  #cells = 0;
  #finished = 0;
  #tests = 0;
  #failed = 0;
  #jobs = 1;

  /** @param expectedMs by the names of cells, in milliseconds. */
  constructor(expectedMs: ReadonlyMap<string, number> = new Map()) {
    this.#expectedMs = expectedMs;
  }

  event(event: HarnessEvent, now: number): void {
    switch (event.type) {
      case 'run.started':
        this.#cells = event.cells.length;
        this.#jobs = event.jobs;
        for (const { name } of event.cells) this.#running.set(name, { startedAt: undefined });
        return;
      case 'step.started': {
        const cell = this.#running.get(event.cell);
        if (cell) cell.startedAt ??= now;
        return;
      }
      case 'test.finished':
        this.#tests += 1;
        if (isBad(event)) this.#failed += 1;
        return;
      case 'cell.finished':
        if (this.#running.delete(event.cell)) this.#finished += 1;
        return;
    }
  }

  /** `2 of 6 cells, 31 tests, 1 failed, about 3 min left`. */
  text(now: number): string {
    const left = this.#leftMs(now);
    return [
      `${this.#finished} of ${plural(this.#cells, 'cell')}`,
      ...(this.#tests > 0 ? [plural(this.#tests, 'test')] : []),
      ...(this.#failed > 0 ? [`${this.#failed} failed`] : []),
      ...(left === undefined || this.#running.size === 0 ? [] : [`about ${roughly(left)} left`]),
    ].join(', ');
  }

  /**
   * The remaining cells share the available slots; at least the longest of them remains. Undefined if less than half of
   * them were ever timed.
   */
  #leftMs(now: number): number | undefined {
    const left = [...this.#running];
    const known = left.filter(([name]) => this.#expectedMs.has(name));
    if (known.length === 0 || known.length * 2 < left.length) return undefined;
    const mean = known.reduce((sum, [name]) => sum + this.#expectedMs.get(name)!, 0) / known.length;
    const each = left.map(([name, { startedAt }]) => {
      const elapsed = startedAt === undefined ? 0 : now - startedAt;
      return Math.max(0, (this.#expectedMs.get(name) ?? mean) - elapsed);
    });
    return Math.max(...each, each.reduce((sum, ms) => sum + ms, 0) / this.#jobs);
  }
}

/** To ten seconds, or to a minute: estimates are no better. */
function roughly(ms: number): string {
  if (ms >= 90_000) return `${Math.round(ms / 60_000)} min`;
  return formatDuration(Math.max(10_000, Math.round(ms / 10_000) * 10_000)).replace('.0 s', ' s');
}
