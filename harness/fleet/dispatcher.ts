import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InfraError, messageOf } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { some } from '../base/text.ts';
import type { AliveRows, Ask, Engine, MovedFiles, RowState } from '../engines/engine.ts';
import type { StoredEvent } from '../events/types.ts';
import type { Bail } from '../run/schedule/bail.ts';
import type { Ledger } from './ledger.ts';
import { PART, PartTail, partFolder } from './part.ts';

/** Callbacks for the fates of attempts. Each is called once per attempt, and awaited. */
export interface Outcomes {
  /** New events of a cell that is running. */
  live(cell: string, events: readonly StoredEvent[]): void;
  /** An attempt was lost, and there will be another one. */
  lost(cell: string, attempt: number, why: string): Promise<void>;
  /** An attempt has a result. */
  final(cell: string, attempt: number): Promise<void>;
  /** The last attempt was lost. */
  exhausted(cell: string, attempt: number, why: string): Promise<void>;
  /** The attempt was ended because the run ends. */
  cancelled(cell: string, attempt: number): Promise<void>;
  /** It was ended, or never submitted, because others failed. */
  leftOut(cell: string, attempt: number | undefined): Promise<void>;
  say(level: 'info' | 'warn', message: string, cell?: string): Promise<void>;
}

export interface DispatchOptions {
  /** The run's name, a prefix of its jobs' names. */
  readonly run: string;
  /** The engine's name, for people. */
  readonly name: string;
  readonly engine: Engine;
  readonly ledger: Ledger;
  /** The run's folder in the shared one. */
  readonly place: string;
  /** Cells without a result: their resources, by cell name. */
  readonly cells: ReadonlyMap<string, Ask>;
  /** The command line of an attempt. */
  readonly argvOf: (cell: string, part: string) => readonly string[];
  /** Files that an engine which moves files brings to each of them. */
  readonly inputs: readonly string[];
  /** Maximum attempts of a cell. */
  readonly attempts: number;
  readonly pollMs: number;
  /** Milliseconds that a row must be gone without a result to count as lost: files may take as long to become visible. */
  readonly lagMs: number;
  /** Milliseconds until a cell is submitted again, by the number of lost attempts. */
  readonly backoffMs: (lost: number) => number;
  readonly outcomes: Outcomes;
  /** Called with each job before it is submitted. */
  readonly register?: (token: string) => void;
  /** Submit all cells, and return. */
  readonly detach?: boolean;
  /** Says which cells are not to go on. */
  readonly bail?: Pick<Bail, 'tests' | 'signalFor'>;
  readonly signal: AbortSignal;
}

/** Exit codes of a part that are results: passed, failed, wrong command line, incomplete. */
const RESULTS: ReadonlySet<number> = new Set([0, 1, 2, 4]);

/** Consecutive refusals, with nothing of the run alive, after which the dispatcher gives up. */
const MOST_REFUSALS = 4;

/** Milliseconds for cancelled jobs to end. */
const CANCEL_MS = 120_000;

/** Every how many polls the files of a queued row are checked, too. */
const QUEUED_LOOKS = 20;

/** Parts that are read concurrently. */
const READERS = 64;

interface Running {
  readonly attempt: number;
  readonly token: string;
  readonly index: number;
  readonly tail: PartTail;
  /** Number of polls. */
  looks: number;
  /** Since when it is gone without a result, in milliseconds of a monotonic clock. */
  missingSince?: number;
  /** Since when its worker reports that its harness has ended without a result. */
  diedSince?: number;
}

/**
 * Brings cells to results on an engine, which it asks only what is alive. A part is a result once its harness has
 * exited with one of `RESULTS`; a part that ended otherwise, or is gone, is submitted again. Every decision is written
 * to the ledger first, so the dispatcher can be killed at any moment and another one continues.
 */
export async function dispatch(options: DispatchOptions): Promise<void> {
  await new Dispatcher(options).run();
}

class Dispatcher {
  readonly #options: DispatchOptions;
  /** When each waiting cell may be submitted. */
  readonly #pending = new Map<string, number>();
  readonly #running = new Map<string, Running>();
  /** Jobs of which it is unknown whether they were submitted, and why. */
  readonly #unsure = new Map<string, string>();
  #refusals = 0;
  /** Rows that are submitted together; reduced when the engine refuses that many. */
  #most = Number.POSITIVE_INFINITY;
  #answers = true;
  /** Cells whose rows were ended because others failed. */
  readonly #leaving = new Set<string>();

  constructor(options: DispatchOptions) {
    this.#options = options;
    for (const { cell, attempt, token, index } of options.ledger.open()) {
      if (!options.cells.has(cell)) continue;
      const tail = new PartTail(partFolder(options.place, cell, attempt));
      this.#running.set(cell, { attempt, token, index, tail, looks: 0 });
      // The controller may have been killed between writing this and submitting the job.
      this.#unsure.set(token, 'its controller was killed');
    }
    for (const cell of options.cells.keys()) if (!this.#running.has(cell)) this.#pending.set(cell, 0);
  }

  async run(): Promise<void> {
    const { signal, pollMs, detach } = this.#options;
    // Before submitting anything again: jobs of an earlier controller may exist.
    if (this.#running.size > 0) await this.#look();
    while (this.#pending.size > 0 || this.#running.size > 0) {
      if (signal.aborted) return this.#cancel();
      if (this.#options.bail?.tests.aborted) await this.#leaveOut(this.#options.bail);
      await this.#submit();
      if (detach && this.#unsure.size === 0) return;
      await delay(pollMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return this.#cancel();
      await this.#look();
      if (this.#refusals >= MOST_REFUSALS && this.#running.size === 0)
        throw new InfraError(`cannot submit to ${this.#options.name}: ${this.#lastRefusal}`);
    }
  }

  #lastRefusal = '';

  /** Ends what others' failures have made needless; what failed itself comes to its end. */
  async #leaveOut({ signalFor }: Pick<Bail, 'signalFor'>): Promise<void> {
    const { engine, outcomes } = this.#options;
    for (const cell of [...this.#pending.keys()]) {
      if (!signalFor(cell).aborted) continue;
      this.#pending.delete(cell);
      await outcomes.leftOut(cell, undefined);
    }
    const needless = [...this.#running].filter(([cell]) => !this.#leaving.has(cell) && signalFor(cell).aborted);
    for (const [token, rows] of Map.groupBy(needless, ([, one]) => one.token)) {
      const indexes = rows.map(([, { index }]) => index);
      await engine.cancel(token, indexes).then(
        () => {
          for (const [cell] of rows) this.#leaving.add(cell);
        },
        (error: unknown) => outcomes.say('warn', messageOf(error)),
      );
    }
  }

  /** Submits the waiting cells that may go, one job per class of resources. */
  async #submit(): Promise<void> {
    const { cells, engine, signal } = this.#options;
    const now = performance.now();
    const ready = [...this.#pending].filter(([, notBefore]) => notBefore <= now).map(([cell]) => cell);
    if (ready.length === 0) return;
    const most = Math.min(this.#most, await engine.maxRows());
    const classes = Map.groupBy(ready, (cell) => JSON.stringify(cells.get(cell)));
    for (const names of classes.values())
      for (let from = 0; from < names.length; from += most) {
        if (signal.aborted) return;
        await this.#submitJob(names.slice(from, from + most));
      }
  }

  async #submitJob(names: readonly string[]): Promise<void> {
    const { run, place, engine, ledger, cells, argvOf, register } = this.#options;
    const token = `${run}-${ledger.jobs}`;
    const folder = join(place, 'jobs', String(ledger.jobs));
    const rows = names.map((cell) => [cell, ledger.next(cell)] as const);
    register?.(token);
    ledger.append({ type: 'intent', token, rows });
    rows.forEach(([cell, attempt], index) => {
      this.#pending.delete(cell);
      this.#running.set(cell, {
        attempt,
        token,
        index,
        tail: new PartTail(partFolder(place, cell, attempt)),
        looks: 0,
      });
    });
    try {
      makeFolder(folder);
      await engine.submit({
        ...{ token, folder, ask: cells.get(names[0]!)! },
        rows: rows.map(([cell, attempt]) =>
          argvOf(cell, engine.moves ? movedPart(attempt) : partFolder(place, cell, attempt)),
        ),
        ...(engine.moves ? { moved: this.#moved(rows) } : {}),
      });
      this.#refusals = 0;
    } catch (error) {
      if (!isExpected(error)) throw error;
      this.#unsure.set(token, messageOf(error));
    }
  }

  #moved(rows: readonly (readonly [cell: string, attempt: number])[]): MovedFiles {
    const { place, inputs } = this.#options;
    const outputs = rows.map(([cell, attempt]) => ({ from: movedPart(attempt), to: partFolder(place, cell, attempt) }));
    for (const { to } of outputs) makeFolder(to);
    return { inputs, outputs, printed: PART.events };
  }

  /** Asks what is alive and then, in this order, reads the results of what is not. */
  async #look(): Promise<void> {
    const alive = await this.#alive();
    const running = [...this.#running];
    const next = running.values();
    const readers = Array.from({ length: READERS }, async () => {
      for (const [cell, one] of next) await this.#see(cell, one, alive);
    });
    await Promise.all(readers);
    if (alive === undefined) return;
    for (const [token, why] of this.#unsure) await this.#settle(token, why, alive);
  }

  /** Undefined if the engine does not answer. */
  async #alive(): Promise<ReadonlyMap<string, AliveRows> | undefined> {
    const { engine, name, outcomes } = this.#options;
    const tokens = [...new Set([...this.#running.values()].map(({ token }) => token))];
    try {
      const alive = await engine.alive(tokens);
      if (!this.#answers) await outcomes.say('info', `${name} answers again`);
      this.#answers = true;
      return alive;
    } catch (error) {
      if (!(error instanceof InfraError)) throw error;
      if (this.#answers)
        await outcomes.say('warn', `${name} does not answer; nothing is decided meanwhile: ${messageOf(error)}`);
      this.#answers = false;
      return undefined;
    }
  }

  async #see(cell: string, one: Running, alive: ReadonlyMap<string, AliveRows> | undefined): Promise<void> {
    const { outcomes, engine } = this.#options;
    const row = alive?.get(one.token)?.get(one.index);
    one.looks += 1;
    if (row?.state === 'queued') {
      delete one.missingSince;
      // A restarted engine may report a finished row as queued, so its files are checked now and then: of a large job
      // some rows each time, because all of them at once would keep what runs waiting.
      if (!one.tail.begun && (one.looks + one.index) % QUEUED_LOOKS !== 0) return;
    }
    const events = await one.tail.more();
    if (events.length > 0) outcomes.live(cell, events);
    const { exitCode, died } = one.tail;
    if (this.#isWhole(row, alive)) {
      if (exitCode !== undefined) return this.#ended(cell, one, exitCode);
      if (died !== undefined) return this.#died(cell, one, died);
    }
    if (row?.state === 'stuck') {
      await engine.cancel(one.token, [one.index]).catch(() => {});
      return this.#lose(cell, one, `it would have waited for ever: ${row.why}`);
    }
    // A part that writes events is alive.
    if (events.length > 0) delete one.missingSince;
    else if (alive !== undefined) await this.#missing(cell, one, row);
  }

  /** Whether all that a row has left is here, once it says that it has ended: an engine may have files of it to bring. */
  #isWhole(row: RowState | undefined, alive: ReadonlyMap<string, AliveRows> | undefined): boolean {
    return !this.#options.engine.moves || (alive !== undefined && row === undefined);
  }

  async #ended(cell: string, one: Running, code: number): Promise<void> {
    if (!RESULTS.has(code)) return this.#lose(cell, one, `its harness ended with ${code}`);
    this.#forget(cell);
    await this.#options.outcomes.final(cell, one.attempt);
  }

  /** A wrong command line stays wrong; any other end without a result may be the node's fault. */
  async #died(cell: string, one: Running, code: number): Promise<void> {
    if (code === 2) return this.#ended(cell, one, code);
    // Files of a network file system may become visible in another order than they were written.
    one.diedSince ??= performance.now();
    if (performance.now() - one.diedSince < this.#options.lagMs) return;
    await this.#lose(cell, one, `its harness ended with ${code} and no result`);
  }

  /** A row that is gone in two polls, long enough apart for its files to become visible, is lost. */
  async #missing(cell: string, one: Running, row: RowState | undefined): Promise<void> {
    if (row !== undefined) {
      delete one.missingSince;
      return;
    }
    const now = performance.now();
    if (one.missingSince === undefined) {
      one.missingSince = now;
      return;
    }
    if (now - one.missingSince < this.#options.lagMs) return;
    // Whether it was submitted at all is decided for the whole job.
    if (this.#unsure.has(one.token) && !one.tail.begun) return;
    await this.#lose(cell, one, 'it vanished: its node was lost, or the engine ended it');
  }

  /** Decides whether a doubtful job was submitted: it was if any of its rows is or was alive. */
  async #settle(token: string, why: string, alive: ReadonlyMap<string, AliveRows>): Promise<void> {
    const { engine, ledger, outcomes, name, backoffMs } = this.#options;
    const rows = [...this.#running].filter(([, one]) => one.token === token);
    if (rows.length === 0 || (alive.get(token)?.size ?? 0) > 0 || rows.some(([, { tail }]) => tail.begun)) {
      this.#unsure.delete(token);
      return;
    }
    const now = performance.now();
    const gone = ({ missingSince }: Running) =>
      missingSince !== undefined && now - missingSince >= this.#options.lagMs && now > missingSince;
    if (!rows.every(([, one]) => gone(one))) return;
    // If the job appears later after all, it must not start.
    await engine.cancel(token).catch(() => {});
    for (const [cell, { tail }] of rows) {
      await abandon(tail.folder);
      this.#forget(cell);
    }
    this.#unsure.delete(token);
    ledger.append({ type: 'refused', token });
    this.#refusals += 1;
    this.#lastRefusal = why;
    this.#most = Math.max(1, Math.ceil(rows.length / 2));
    for (const [cell] of rows) this.#pending.set(cell, now + backoffMs(this.#refusals));
    await outcomes.say('warn', `${name} did not take ${some(rows.map(([cell]) => cell))}: ${why}`);
  }

  async #lose(cell: string, one: Running, why: string): Promise<void> {
    const { ledger, outcomes, attempts, backoffMs } = this.#options;
    await abandon(one.tail.folder);
    this.#forget(cell);
    if (this.#leaving.has(cell)) return outcomes.leftOut(cell, one.attempt);
    ledger.append({ type: 'lost', cell, attempt: one.attempt, why });
    const count = ledger.lost(cell).length;
    if (count >= attempts) return outcomes.exhausted(cell, one.attempt, why);
    this.#pending.set(cell, performance.now() + backoffMs(count));
    await outcomes.lost(cell, one.attempt, why);
  }

  #forget(cell: string): void {
    this.#running.delete(cell);
    this.#options.ledger.end(cell);
  }

  /** Cancels every job, and waits for started rows to write their end. */
  async #cancel(): Promise<void> {
    const { engine, outcomes, pollMs, lagMs } = this.#options;
    const end = performance.now() + CANCEL_MS;
    const left = new Set([...this.#running.values()].map(({ token }) => token));
    this.#pending.clear();
    while (this.#running.size > 0) {
      for (const token of left)
        await engine.cancel(token).then(
          () => left.delete(token),
          (error: unknown) => outcomes.say('warn', messageOf(error)),
        );
      const alive = await this.#alive();
      for (const [cell, one] of this.#running) {
        const row = alive?.get(one.token)?.get(one.index);
        const events = await one.tail.more();
        if (events.length > 0) outcomes.live(cell, events);
        const late = performance.now() > end;
        if (row === undefined && alive !== undefined) one.missingSince ??= performance.now();
        // A row that never started writes nothing.
        const gone =
          one.missingSince !== undefined && (!one.tail.begun || performance.now() - one.missingSince >= lagMs);
        const ended = one.tail.exitCode !== undefined || one.tail.died !== undefined;
        if (!(ended && this.#isWhole(row, alive)) && !gone && !late) continue;
        if (!one.tail.begun) await abandon(one.tail.folder);
        this.#forget(cell);
        if (RESULTS.has(one.tail.exitCode ?? -1)) await outcomes.final(cell, one.attempt);
        else await outcomes.cancelled(cell, one.attempt);
      }
      if (this.#running.size > 0) await delay(Math.min(pollMs, 500));
    }
  }
}

/** Errors of the engine and of files; anything else is a bug. */
function isExpected(error: unknown): boolean {
  return error instanceof InfraError || (error instanceof Error && 'code' in error);
}

/** The folder of an attempt in the working folder of its row. */
function movedPart(attempt: number): string {
  return join('part', String(attempt));
}

/** Tells a late worker not to start. */
async function abandon(folder: string): Promise<void> {
  try {
    makeFolder(folder);
    await writeFile(join(folder, PART.abandoned), '');
  } catch {
    // Without the folder, the worker has nothing to read.
  }
}
