import { cp, lstat, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { lastLines } from '../base/text.ts';
import { readEvents } from '../events/reader.ts';
import type { CellFinished, StoredEvent, Verdict } from '../events/types.ts';
import { cellFolder } from '../run/cell/context.ts';
import { PART, partFolder } from './part.ts';
import { isOfCell, type ShownRun } from './shown.ts';

/** An attempt, read from its files. */
export interface Collected {
  /** Its events, except the end of the cell. */
  readonly events: readonly StoredEvent[];
  readonly finished?: Extract<StoredEvent, CellFinished> | undefined;
  /** The node it ran on; undefined: it never started. */
  readonly node?: string | undefined;
  /** The last output of its harness, for an attempt without events. */
  readonly printed: readonly string[];
}

/** Reads an attempt. If its events are damaged, only that is reported. */
export async function collect(place: string, cell: string, attempt: number): Promise<Collected> {
  const folder = partFolder(place, cell, attempt);
  const file = join(folder, PART.events);
  const events: StoredEvent[] = [];
  const text = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '');
  let damage: string | undefined;
  if (await exists(file))
    try {
      for (const event of (await readEvents(file)).events) if (isOfCell(event, cell)) events.push(event);
    } catch (error) {
      damage = messageOf(error);
    }
  const finished = events.find((event) => event.type === 'cell.finished');
  return {
    events: events.filter((event) => event !== finished),
    finished: damage === undefined ? finished : undefined,
    node: (await text(PART.node)).trim() || undefined,
    printed: finished ? [] : [...(damage === undefined ? [] : [damage]), ...lastLines(await text(PART.log), 3)],
  };
}

/** Records a lost attempt: its events, and why there is another one. */
export async function takeLost(
  run: ShownRun,
  place: string,
  cell: string,
  attempt: number,
  why: string,
): Promise<void> {
  const { events, finished, node } = await collect(place, cell, attempt);
  const artifacts = await copyFiles(run.folder, place, cell, attempt, `lost-${attempt}`);
  await run.take(cell, events);
  const [first, last] = [events[0]?.at, (finished ?? events.at(-1))?.at];
  const where = node === undefined ? '' : ` on ${node}`;
  await run.emit({
    ...{ type: 'cell.retried', cell, attempt, verdict: finished?.verdict === 'emulator' ? 'emulator' : 'infra' },
    reason: `attempt ${attempt}${where}: ${why}${finished?.reason === undefined ? '' : ` (${finished.reason})`}`,
    durationMs: first === undefined || last === undefined ? 0 : Math.max(0, Date.parse(last) - Date.parse(first)),
    artifacts,
  });
}

/**
 * Adds an attempt to the run, as the cell's result.
 * @param otherwise the result if the events have none; undefined: the cell stays open.
 * @param only accepted verdicts; for any other the result is `otherwise`.
 * @returns what the cell came to.
 */
export async function takeFinal(
  run: ShownRun,
  place: string,
  cell: string,
  attempt: number,
  otherwise: string | undefined,
  only?: readonly Verdict[],
): Promise<Verdict | undefined> {
  const { events, finished, node, printed } = await collect(place, cell, attempt);
  await copyFiles(run.folder, place, cell, attempt);
  const taken = finished && (only?.includes(finished.verdict) ?? true) ? [finished] : [];
  if (node !== undefined)
    await run.note({ type: 'log', cell, level: 'info', message: `attempt ${attempt} ran on ${node}` }, events[0]?.at);
  await run.take(cell, [...events, ...taken]);
  if (taken.length > 0 || otherwise === undefined) return taken[0]?.verdict;
  const reason = [otherwise, ...(finished ? [finished.reason ?? finished.verdict] : printed)].join(': ');
  await run.emit({ type: 'cell.finished', cell, verdict: 'infra', durationMs: 0, reason });
  return 'infra';
}

/** Takes what there is of an attempt that was ended because others failed, or of a cell that never began. */
export async function takeLeftOut(
  run: ShownRun,
  place: string,
  cell: string,
  attempt: number | undefined,
  reason: string,
): Promise<void> {
  if (attempt !== undefined) {
    const { events } = await collect(place, cell, attempt);
    await copyFiles(run.folder, place, cell, attempt);
    await run.take(cell, events);
  }
  await run.emit({ type: 'cell.finished', cell, verdict: 'incomplete', durationMs: 0, reason });
}

/**
 * Copies the evidence of an attempt. Only plain files: a link may lead anywhere.
 * @param below destination, a subfolder of the cell's folder; absent: the cell's folder.
 * @returns consoles and logs among them, relative to the run's folder.
 */
async function copyFiles(
  runFolder: string,
  place: string,
  cell: string,
  attempt: number,
  below?: string,
): Promise<string[]> {
  const part = partFolder(place, cell, attempt);
  const from = cellFolder(part, cell);
  const to = below === undefined ? cellFolder(runFolder, cell) : join(cellFolder(runFolder, cell), below);
  if (!(await lstat(from).catch(() => undefined))?.isDirectory()) return [];
  const files: string[] = [];
  if (below === undefined) await rm(join(to, 'console.log'), { force: true });
  await cp(from, to, {
    recursive: true,
    filter: async (source, target) => {
      const found = await lstat(source).catch(() => undefined);
      if (found?.isFile() && source.endsWith('.log')) files.push(relative(runFolder, target));
      return found?.isDirectory() === true || found?.isFile() === true;
    },
  });
  return files.sort();
}
