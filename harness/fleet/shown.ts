import type { HarnessEvent, StoredEvent } from '../events/types.ts';
import type { OpenRun } from '../run/schedule/open-run.ts';

/** Whether an event of a part belongs to the whole run: the start and end of the part do not. */
export function isOfCell(event: StoredEvent, cell: string): boolean {
  if (event.type === 'run.started' || event.type === 'run.resumed' || event.type === 'run.finished') return false;
  return event.cell === cell || (event.cell === undefined && event.type === 'log');
}

/**
 * A run whose cells are shown while they run, and written when they have a result; each event is shown once. Events are
 * reported in the order in which they were appended, so a queue says for each whether to show it.
 */
export class ShownRun {
  readonly #show: (event: StoredEvent) => void;
  readonly #queue: boolean[] = [];
  readonly #live = new Map<string, number>();
  #open: OpenRun | undefined;

  /** @param show called once with each event. */
  constructor(show: (event: StoredEvent) => void) {
    this.#show = show;
  }

  /** Call this with every event that is on disk. */
  readonly written = (event: StoredEvent): void => {
    if (this.#queue.shift() ?? true) this.#show(event);
  };

  /** Where events go. */
  writeTo(open: OpenRun): void {
    this.#open = open;
  }

  /** The run's folder. */
  get folder(): string {
    return this.#open!.folder;
  }

  /** Writes an event, and shows it. */
  emit(event: HarnessEvent): Promise<void> {
    this.#queue.push(true);
    return this.#open!.emit(event);
  }

  /** Writes an event that is for reports. @param at when it happened; absent: now. */
  note(event: HarnessEvent, at?: string): Promise<void> {
    this.#queue.push(false);
    return this.#open!.emit(event, at);
  }

  /** Shows new events of a running cell. */
  live(cell: string, events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (!isOfCell(event, cell)) continue;
      this.#live.set(cell, (this.#live.get(cell) ?? 0) + 1);
      this.#show(event);
    }
  }

  /** Writes a cell's events with their times, and shows those that were not shown while it ran. */
  async take(cell: string, events: readonly StoredEvent[]): Promise<void> {
    for (const event of events.slice(this.#live.get(cell) ?? 0)) this.#show(event);
    this.#live.delete(cell);
    // All at once, so that they share one flush to the disk.
    await Promise.all(events.map(({ v: _v, seq: _seq, at, ...event }) => this.note(event as HarnessEvent, at)));
  }
}
