import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { InfraError } from '../../base/errors.ts';
import type { AliveRows, Engine, EngineState, Job, MovedFiles, RowState } from '../engine.ts';

/**
 * What a row of a job in memory does; it ends when its signal is aborted, writing no more, or what a signal lets it write.
 * @param cwd its working folder, with an engine that moves files.
 */
export type RowWork = (argv: readonly string[], signal: AbortSignal, cwd: string) => Promise<void>;

export interface MemoryEngineOptions {
  /** How many rows run at once. */
  readonly slots: number;
  readonly work: RowWork;
  readonly maxRows?: number;
  /** Whether each row has a working folder of its own, whose files are brought back when it ends. */
  readonly moves?: boolean;
}

/** How a row was ended: `cancelled` lets it say so, `lost` is a power cut. */
export type RowEnd = 'cancelled' | 'lost';

/** An engine in memory, for tests and for measuring what is not an engine's. */
export interface MemoryEngine extends Engine {
  /** Jobs that were submitted, in order. */
  readonly jobs: readonly Job[];
  /** Cuts the power of a row that runs; false: it does not. */
  lose(token: string, index: number): boolean;
  /** Rows that run now. */
  running(): readonly { readonly token: string; readonly index: number; readonly argv: readonly string[] }[];
  /** Whether it answers. */
  down: boolean;
  /** Refuses to take jobs, with these words. */
  refuses: string | undefined;
  /** Takes jobs, and says that it did not. */
  lies: boolean;
  /** Rows that wait are held for ever, for this reason. */
  holds: string | undefined;
  /** Was restarted, and takes what it was ever given for what waits. */
  forgot: boolean;
}

interface Row {
  readonly token: string;
  readonly index: number;
  readonly argv: readonly string[];
  readonly moved: MovedFiles | undefined;
  /** Ends its work; undefined: it waits. Not made before, because a controller each is most of what 100,000 rows take. */
  stop: AbortController | undefined;
}

/** Does a row's work in a folder of its own, and brings back what it left, unless its power was cut. */
async function elsewhere({ argv, moved, index }: Row, signal: AbortSignal, work: RowWork): Promise<void> {
  if (moved === undefined) return work(argv, signal, '/');
  const cwd = await mkdtemp(join(tmpdir(), 'harness-row-'));
  const { from, to } = moved.outputs[index]!;
  try {
    for (const input of moved.inputs) await cp(input, join(cwd, basename(input)));
    await work(argv, signal, cwd);
    if (signal.reason === 'lost') return;
    const brings = signal.aborted ? moved.printed : '.';
    await cp(join(cwd, from, brings), join(to, brings), { recursive: true });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

export function memoryEngine({ slots, work, maxRows = 1000, moves = false }: MemoryEngineOptions): MemoryEngine {
  const jobs: Job[] = [];
  /** All rows in order; those before `next` have had their turn. */
  const queue: Row[] = [];
  let next = 0;
  const rows = new Map<string, Map<number, Row>>();
  let busy = 0;
  const answer = () => {
    if (engine.down) throw new InfraError('the engine in memory does not answer');
  };
  const remove = ({ token, index }: Row) => {
    rows.get(token)?.delete(index);
  };
  const start = () => {
    while (busy < slots && engine.holds === undefined) {
      const row = queue[next];
      if (row === undefined) return;
      next += 1;
      // It was ended while it waited.
      if (rows.get(row.token)?.get(row.index) !== row) continue;
      busy += 1;
      row.stop = new AbortController();
      void elsewhere(row, row.stop.signal, work)
        .catch(() => {})
        .finally(() => {
          busy -= 1;
          remove(row);
          start();
        });
    }
  };
  const end = (row: Row, how: RowEnd) => {
    if (row.stop === undefined || how === 'lost') remove(row);
    row.stop?.abort(how);
  };
  const engine: MemoryEngine = {
    moves,
    jobs,
    down: false,
    refuses: undefined,
    lies: false,
    holds: undefined,
    forgot: false,
    probe: async (): Promise<EngineState> => ({ state: 'usable', detail: `${slots} slots in memory` }),
    maxRows: async () => maxRows,
    async submit(job) {
      answer();
      if (engine.refuses !== undefined) throw new InfraError(engine.refuses);
      jobs.push(job);
      const own = new Map<number, Row>();
      rows.set(job.token, own);
      job.rows.forEach((argv, index) => {
        const row: Row = { token: job.token, index, argv, moved: job.moved, stop: undefined };
        own.set(index, row);
        queue.push(row);
      });
      start();
      if (engine.lies) throw new InfraError('Unexpected message received');
    },
    async alive(tokens) {
      answer();
      const state = ({ stop }: Row): RowState => {
        if (stop !== undefined) return { state: 'running' };
        return engine.holds === undefined ? { state: 'queued' } : { state: 'stuck', why: engine.holds };
      };
      if (engine.forgot)
        return new Map(
          jobs.map(({ token, rows: all }) => [token, new Map(all.map((_, index) => [index, { state: 'queued' }]))]),
        );
      return new Map(
        tokens.flatMap((token): [string, AliveRows][] => {
          const own = rows.get(token);
          return own === undefined || own.size === 0
            ? []
            : [[token, new Map([...own].map(([index, row]) => [index, state(row)]))]];
        }),
      );
    },
    async cancel(token, some) {
      answer();
      for (const row of [...(rows.get(token)?.values() ?? [])])
        if (some === undefined || some.includes(row.index)) end(row, 'cancelled');
      start();
    },
    cancelCommand: (token) => ['true', token],
    running: () => [...rows.values()].flatMap((own) => [...own.values()].filter(({ stop }) => stop !== undefined)),
    lose(token, index) {
      const row = rows.get(token)?.get(index);
      if (row?.stop === undefined) return false;
      end(row, 'lost');
      return true;
    },
  };
  return engine;
}
