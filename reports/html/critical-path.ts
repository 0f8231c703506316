import type { CellResult, RunResult } from '../../harness/events/result.ts';

/** When a cell ran, in milliseconds since the run began. */
export interface Span {
  readonly cell: CellResult;
  readonly startMs: number;
  readonly endMs: number;
}

/** The spans of all cells that were started, by their start. */
export function spansOf(run: Pick<RunResult, 'cells' | 'startedAt'>): Span[] {
  const began = Date.parse(run.startedAt);
  return run.cells
    .flatMap((cell) => {
      const first = cell.steps[0]?.startedAt ?? cell.startedAt;
      if (first === undefined) return [];
      const startMs = Math.max(0, Date.parse(first) - began);
      const ends = cell.steps.map((step) => Date.parse(step.startedAt) - began + step.durationMs);
      return [{ cell, startMs, endMs: Math.max(startMs, ...ends) }];
    })
    .sort((a, b) => a.startMs - b.startMs);
}

/**
 * The cells that determined the length of the run, in order: the one that ended last, before it the last one to end
 * before that began, and so on. With slots for several cells at once a cell begins when another makes room.
 */
export function criticalPath(spans: readonly Span[]): Span[] {
  const path: Span[] = [];
  let next = last(spans);
  while (next) {
    path.unshift(next);
    const { startMs } = next;
    next = last(spans.filter((span) => span.endMs <= startMs && !path.includes(span)));
  }
  return path;
}

function last(spans: readonly Span[]): Span | undefined {
  return spans.reduce<Span | undefined>(
    (found, span) => (found && found.endMs >= span.endMs ? found : span),
    undefined,
  );
}
