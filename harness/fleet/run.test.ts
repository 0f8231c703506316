import { realpathSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { retryUntil } from '../base/time.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import { matrixSchema } from '../config/schema/matrix.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import { type MemoryEngine, memoryEngine } from '../engines/memory/memory.ts';
import { loadRun } from '../events/load-run.ts';
import type { RunResult } from '../events/result.ts';
import type { StoredEvent, Verdict } from '../events/types.ts';
import type { Cell } from '../matrix/cell.ts';
import { DEFAULT_RELEASE } from '../releases/index.ts';
import type { RunOptions } from '../run/schedule/run.ts';
import { writeFakePart } from '../testing/fake-part.ts';
import { type TempFiles, tempFiles } from '../testing/temp-files.ts';
import { askToCancel, attach, type Detached, runOnEngine, type Watch } from './run.ts';
import { readTests } from './tests-file.ts';

/** What an attempt of a cell comes to; absent: it passes. */
type Plan = (cell: string, attempt: number) => { readonly verdict: Verdict; readonly exitCode: number } | undefined;

interface Fleet {
  readonly files: TempFiles;
  readonly engine: MemoryEngine;
  /** Attempts that began, `cell 1`, in order. */
  readonly begun: string[];
  readonly shown: StoredEvent[];
  readonly watch: Watch;
  run(options?: RunGiven): Promise<{ exitCode: number }>;
  attach(interrupt?: AbortSignal): Promise<{ exitCode: number }>;
  result(): Promise<RunResult>;
  latest(file: string): string;
}

type RunGiven = Pick<RunOptions, 'bail' | 'tests'> & { readonly detach?: boolean; readonly interrupt?: AbortSignal };

/** A fleet whose engine is in memory, and whose parts are written without running anything. */
async function fleet(
  count: number,
  {
    plan = () => undefined,
    slots = 4,
    ms = 5,
    msOf = () => ms,
    maxRows = 1000,
    moves = false,
  }: {
    plan?: Plan;
    slots?: number;
    ms?: number;
    msOf?: (cell: string) => number;
    maxRows?: number;
    moves?: boolean;
  } = {},
): Promise<Fleet> {
  const files = await tempFiles({ 'project/suites/s/suite.yaml': '', 'shared/x': '' });
  const begun: string[] = [];
  const shown: StoredEvent[] = [];
  const engine = memoryEngine({
    slots,
    ...{ maxRows, moves },
    async work(argv, signal, cwd) {
      const part = resolve(cwd, argv[2]!);
      const cell = argv[argv.indexOf('--only') + 1]!;
      const attempt = Number(basename(part));
      begun.push(`${cell} ${attempt}`);
      const { verdict, exitCode } = plan(cell, attempt) ?? { verdict: 'passed', exitCode: 0 };
      await writeFakePart({ part, cell, node: `n${attempt}`, verdict, exitCode, ms: msOf(cell), signal });
    },
  });
  const matrix = { ...matrixSchema.parse({ arch: ['amd64'], suite: ['s'] }), name: 'fake' };
  const cells = Array.from({ length: count }, (_, index): Cell => {
    const suite = { ...suiteSchema.parse({}), name: `s${index}`, folder: join(files.folder, 'project/suites/s') };
    const name = `amd64/memory/s${index}`;
    return { name, arch: 'amd64', target: 'memory', suite, release: DEFAULT_RELEASE, voting: true };
  });
  const project = join(files.folder, 'project');
  const config: EngineConfig = {
    ...{
      kind: 'slurm',
      shared: join(files.folder, 'shared'),
      arch: {},
      options: [],
      'poll-seconds': 0.005,
      'cache-put': true,
    },
    harness: 'none',
  };
  const watch: Watch = {
    ...{ state: join(files.folder, 'state'), argv: [], lagMs: 20, backoffMs: 1 },
    interrupt: new AbortController().signal,
    onEvent: (event) => void shown.push(event),
    onEnd: async () => {},
  };
  const outcome = (done: { exitCode: number } | Detached) => ('detached' in done ? { exitCode: -1 } : done);
  const latest = (file: string) => join(project, '.harness/runs/latest', file);
  return {
    ...{ files, engine, begun, shown, watch, latest },
    run: async ({ detach = false, interrupt, ...given } = {}) =>
      outcome(
        await runOnEngine(
          {
            ...{ ...watch, matrix, cells, project, cache: join(files.folder, 'cache'), providers: undefined as never },
            ...{ version: '0', keep: false, bench: true, cold: false, onProgress: () => {} },
            ...(interrupt ? { interrupt } : {}),
            ...given,
          },
          { name: 'lab', config, detach, engine },
        ),
      ),
    attach: (interrupt) =>
      attach(realpathSync(latest('')), { ...watch, ...(interrupt ? { interrupt } : {}) }, { engine }),
    result: () => loadRun(latest('')),
  };
}

const verdictsOf = ({ cells }: RunResult) => cells.map(({ verdict }) => verdict);
/** An error that no engine throws: the controller is gone, as after SIGKILL. */
class Killed extends Error {}

test('cells by class, red ones once, infra ones again: one run, as if it had run here', async () => {
  const plan: Plan = (cell, attempt) => {
    const index = Number(/\d+$/.exec(cell)![0]);
    if (index < 3) return { verdict: 'failed', exitCode: 1 };
    if (index < 6 && attempt === 1) return { verdict: 'infra', exitCode: 3 };
    return undefined;
  };
  const one = await fleet(18, { plan });
  await using _ = one.files;
  expect((await one.run()).exitCode).toBe(1);
  const result = await one.result();
  expect(Map.groupBy(verdictsOf(result), (verdict) => verdict).get('passed')?.length).toBe(15);
  expect(verdictsOf(result).slice(0, 3)).toEqual(['failed', 'failed', 'failed']);
  expect(one.begun.filter((name) => name.endsWith(' 2')).sort()).toEqual([
    'amd64/memory/s3 2',
    'amd64/memory/s4 2',
    'amd64/memory/s5 2',
  ]);
  expect(one.begun.length).toBe(21);
  const again = result.cells[3]!;
  expect(again.earlier?.map(({ reason }) => reason)).toEqual([
    'attempt 1 on n1: its harness ended with 3 (it is infra)',
  ]);
  expect(again.logs.map(({ message }) => message)).toEqual(['attempt 2 ran on n2']);
  await expect(readFile(one.latest('cells/amd64/memory/s3/console.log'), 'utf8')).resolves.toContain('on n2');
  await expect(readFile(one.latest('cells/amd64/memory/s3/lost-1/console.log'), 'utf8')).resolves.toContain('on n1');
  // One job for all that ask for the same, and one for what was tried again, or several where these came apart.
  expect(one.engine.jobs[0]!.rows.length).toBe(18);
  // Every event was shown once.
  const ends = one.shown.filter(({ type }) => type === 'cell.finished');
  expect(ends.length).toBe(18 + 3);
  expect(one.shown.filter(({ type }) => type === 'test.finished').length).toBe(18);
});

test('with --bail the first failure ends what has not failed, and nothing is tried again', async () => {
  const plan: Plan = (cell) => (cell.endsWith('s1') ? { verdict: 'failed', exitCode: 1 } : undefined);
  // s0 would run for ever, s1 fails at once, and s2 waits for a place.
  const one = await fleet(3, { plan, slots: 2, msOf: (cell) => (cell.endsWith('s1') ? 1 : 60_000) });
  await using _ = one.files;
  expect((await one.run({ bail: 1 })).exitCode).toBe(1);
  const { cells } = await one.result();
  const left = 'left out by --bail after 1 failure';
  expect(cells.map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['incomplete', left],
    ['failed', 'it is failed'],
    ['incomplete', left],
  ]);
  expect(one.begun.filter((name) => !name.endsWith(' 1'))).toEqual([]);
});

test('an attempt that is tried again is no failure for --bail', async () => {
  const plan: Plan = (cell, attempt) =>
    cell.endsWith('s0') && attempt === 1 ? { verdict: 'infra', exitCode: 3 } : undefined;
  const one = await fleet(3, { plan, slots: 1 });
  await using _ = one.files;
  expect((await one.run({ bail: 1 })).exitCode).toBe(0);
});

test('which tests of a cell are to run is in a file, for those that no option names', async () => {
  const one = await fleet(2);
  await using _ = one.files;
  const tests = new Map([['amd64/memory/s1', { only: [{ file: 'a.scenario.ts', test: 'works' }] }]]);
  expect((await one.run({ tests })).exitCode).toBe(0);
  const [row] = one.engine.jobs[0]!.rows;
  expect(await readTests(row![row!.indexOf('--tests-from') + 1]!)).toEqual(tests);
});

test('an engine that moves files brings back what a row has left, and a row is over when it has', async () => {
  const plan: Plan = (cell, attempt) =>
    cell.endsWith('s1') && attempt === 1 ? { verdict: 'infra', exitCode: 3 } : undefined;
  const one = await fleet(3, { plan, moves: true });
  await using _ = one.files;
  expect((await one.run()).exitCode).toBe(0);
  expect(verdictsOf(await one.result())).toEqual(['passed', 'passed', 'passed']);
  expect(one.begun.length).toBe(4);
  await expect(readFile(one.latest('cells/amd64/memory/s1/console.log'), 'utf8')).resolves.toContain('on n2');
  const [{ rows, moved } = { rows: [], moved: undefined }] = one.engine.jobs;
  expect(rows[0]!.slice(0, 4)).toEqual(['sh', 'worker.sh', 'part/1', expect.stringMatching(/^\w+\.tar$/)]);
  expect(moved!.inputs.map((input) => basename(input))).toEqual(['worker.sh', rows[0]![3]]);
});

test('of what is cancelled on an engine that moves files there is what it has printed', async () => {
  const one = await fleet(1, { ms: 60_000, moves: true });
  await using _ = one.files;
  const stop = new AbortController();
  const running = one.run({ interrupt: stop.signal });
  await retryUntil(async () => expect(one.begun.length).toBe(1), { deadlineMs: 60_000, everyMs: 5 });
  stop.abort();
  expect((await running).exitCode).toBe(130);
  const [cell] = (await one.result()).cells;
  expect([cell!.verdict, cell!.reason]).toEqual(['incomplete', 'the run was interrupted']);
});

test('a cell whose node is lost runs again; after the last attempt it is infra', async () => {
  const one = await fleet(3, { ms: 60_000, slots: 3 });
  await using _ = one.files;
  const running = one.run();
  const lose = async (cell: string, attempt: number) =>
    retryUntil(
      async () => {
        const row = one.engine
          .running()
          .find(({ argv }) => argv.includes(cell) && basename(argv[2]!) === String(attempt));
        const events = await readFile(join(row?.argv[2] ?? '/none', 'events.jsonl'), 'utf8');
        expect(events).toContain('tests.planned');
        expect(one.engine.lose(row!.token, row!.index)).toBe(true);
      },
      { deadlineMs: 60_000, everyMs: 5 },
    );
  for (const attempt of [1, 2, 3]) await lose('amd64/memory/s0', attempt);
  for (const cell of ['s1', 's2']) for (const attempt of [1, 2, 3]) await lose(`amd64/memory/${cell}`, attempt);
  expect((await running).exitCode).toBe(3);
  const { cells } = await one.result();
  expect(cells.map(({ verdict, reason }) => [verdict, reason])).toEqual(
    Array(3).fill([
      'infra',
      'no result after 3 attempts; the last: it vanished: its node was lost, or the engine ended it',
    ]),
  );
  expect(cells[0]!.earlier?.map(({ reason }) => reason)).toEqual([
    'attempt 1 on n1: it vanished: its node was lost, or the engine ended it',
    'attempt 2 on n2: it vanished: its node was lost, or the engine ended it',
  ]);
});

test('a controller that is killed at any moment leaves a run to go on with, and nothing runs twice', async () => {
  for (const after of [0, 1, 2, 3, 5, 8, 13]) {
    const one = await fleet(12, { ms: 15, slots: 3, maxRows: 5 });
    await using _ = one.files;
    let calls = 0;
    const kill = async <T>(work: () => Promise<T>): Promise<T> => {
      if (calls++ === after) throw new Killed();
      return work();
    };
    const { alive, submit } = one.engine;
    one.engine.alive = (tokens) => kill(() => alive(tokens));
    // Half of the time it was submitted before.
    one.engine.submit = async (job) => {
      if (after % 2 === 0) await submit(job);
      await kill(async () => (after % 2 === 0 ? undefined : submit(job)));
    };
    const killed = await one.run().then(
      () => false,
      (error: unknown) => error instanceof Killed,
    );
    // On a busy machine there are fewer looks before all is done.
    if (!killed && after > 3) continue;
    expect(killed, `killed after ${after} calls`).toBe(true);
    Object.assign(one.engine, { alive, submit });
    expect((await one.attach()).exitCode, `killed after ${after} calls`).toBe(0);
    expect(verdictsOf(await one.result())).toEqual(Array(12).fill('passed'));
    expect(one.begun.map((name) => name.split(' ')[0]).sort(), `killed after ${after} calls`).toEqual(
      [...new Set(one.begun.map((name) => name.split(' ')[0]))].sort(),
    );
  }
});

test('two controllers on one run: the second is refused', async () => {
  const one = await fleet(1, { ms: 60_000 });
  await using _ = one.files;
  const stop = new AbortController();
  const running = one.run({ interrupt: stop.signal });
  await retryUntil(async () => expect(one.begun.length).toBe(1), { deadlineMs: 60_000, everyMs: 5 });
  await expect(one.attach()).rejects.toThrow('it is still running');
  stop.abort();
  expect((await running).exitCode).toBe(130);
});

test('an interrupt ends what runs, waits for what it says, and leaves a run to resume', async () => {
  const one = await fleet(4, { ms: 60_000, slots: 2 });
  await using _ = one.files;
  const running = one.run();
  await retryUntil(
    async () => {
      for (const { argv } of one.engine.running())
        expect(await readFile(join(argv[2]!, 'events.jsonl'), 'utf8')).toContain('tests.planned');
      expect(one.begun.length).toBe(2);
    },
    { deadlineMs: 60_000, everyMs: 5 },
  );
  await askToCancel(realpathSync(one.latest('')));
  expect((await running).exitCode).toBe(130);
  const { cells, exitCode } = await one.result();
  expect(exitCode).toBe(130);
  expect(cells.map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['incomplete', 'the run was interrupted'],
    ['incomplete', 'the run was interrupted'],
    ['incomplete', 'never started'],
    ['incomplete', 'never started'],
  ]);
  expect(one.engine.running()).toEqual([]);
  expect(await readdir(join(one.watch.state, 'leases'))).toEqual([]);
  await expect(one.attach()).rejects.toThrow('it has ended');
});

test('a run that was left is there for whoever attaches, with what came of it meanwhile', async () => {
  const one = await fleet(5, { ms: 1, slots: 5 });
  await using _ = one.files;
  await one.run({ detach: true });
  expect(await readdir(join(one.watch.state, 'leases'))).toEqual([]);
  await retryUntil(async () => expect(one.engine.running().length).toBe(0), { deadlineMs: 60_000, everyMs: 5 });
  expect((await one.attach()).exitCode).toBe(0);
  expect(one.begun.length).toBe(5);
  expect((await one.result()).cells.length).toBe(5);
});

test('while the engine does not answer nothing is decided', async () => {
  const one = await fleet(2, { ms: 150, slots: 2 });
  await using _ = one.files;
  const running = one.run();
  await retryUntil(async () => expect(one.begun.length).toBe(2), { deadlineMs: 60_000, everyMs: 5 });
  one.engine.down = true;
  await retryUntil(
    async () =>
      expect(one.shown.some((event) => event.type === 'log' && /does not answer/.test(event.message))).toBe(true),
    { deadlineMs: 60_000, everyMs: 5 },
  );
  one.engine.down = false;
  expect((await running).exitCode).toBe(0);
  expect(one.begun.length).toBe(2);
});

test('an engine that takes what has run for what waits is not believed', async () => {
  const one = await fleet(3, { ms: 30 });
  await using _ = one.files;
  const running = one.run();
  await retryUntil(async () => expect(one.begun.length).toBe(3), { deadlineMs: 60_000, everyMs: 5 });
  one.engine.forgot = true;
  expect((await running).exitCode).toBe(0);
  expect(one.begun.length).toBe(3);
});

test('a job that was taken although the engine said that it was not runs once', async () => {
  const one = await fleet(3, { ms: 30 });
  await using _ = one.files;
  one.engine.lies = true;
  expect((await one.run()).exitCode).toBe(0);
  expect(one.begun.length).toBe(3);
});

test('an engine that takes nothing is asked some times, and then said so', async () => {
  const one = await fleet(2);
  await using _ = one.files;
  one.engine.refuses = 'sbatch: error: invalid partition specified: ci';
  await expect(one.run()).rejects.toThrow('cannot submit to lab: sbatch: error: invalid partition specified: ci');
});

test('an engine that is full takes what waits later, in smaller jobs', async () => {
  const one = await fleet(8);
  await using _ = one.files;
  const { submit } = one.engine;
  one.engine.submit = async (job) => {
    if (job.rows.length > 3) one.engine.refuses = 'Job violates accounting/QOS policy';
    await submit(job).finally(() => {
      one.engine.refuses = undefined;
    });
  };
  expect((await one.run()).exitCode).toBe(0);
  expect(one.begun.length).toBe(8);
  expect(Math.max(...one.engine.jobs.map(({ rows }) => rows.length))).toBe(2);
});

test('a row that would wait for ever is ended, and says for what', async () => {
  const one = await fleet(1);
  await using _ = one.files;
  one.engine.holds = 'BadConstraints';
  expect((await one.run()).exitCode).toBe(3);
  const [cell] = (await one.result()).cells;
  expect(cell!.reason).toBe('no result after 3 attempts; the last: it would have waited for ever: BadConstraints');
  expect(one.begun).toEqual([]);
});

test('a part that is damaged is no result', async () => {
  const one = await fleet(1, { ms: 1 });
  await using _ = one.files;
  await one.run({ detach: true });
  await retryUntil(async () => expect(one.begun.length > 0 && one.engine.running().length === 0).toBe(true), {
    deadlineMs: 60_000,
    everyMs: 5,
  });
  const part = one.engine.jobs[0]!.rows[0]![2]!;
  const events = (await readFile(join(part, 'events.jsonl'), 'utf8')).split('\n');
  await writeFile(join(part, 'events.jsonl'), events.filter((_, index) => index !== 2).join('\n'));
  expect((await one.attach()).exitCode).toBe(3);
  expect((await one.result()).cells[0]!.reason).toContain('lines are missing or doubled');
});
