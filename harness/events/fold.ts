import { HarnessError } from '../base/errors.ts';
import { decide, stateOf } from './decide.ts';
import { between, CellFold } from './fold-cell.ts';
import { testKey } from './identity.ts';
import { withQuarantine } from './quarantine.ts';
import type { CellResult, ControlComparison, Counts, RunResult, TestResult } from './result.ts';
import type { ControlPlace, RunFinished, RunStarted, StoredEvent } from './types.ts';

export { decide } from './decide.ts';

/**
 * Folds a stream of events into a run's result. A stream that ends early (the harness was killed) gives the state
 * `incomplete`, regardless of passes and failures until then.
 * @throws HarnessError when the stream does not begin with `run.started`.
 */
export function foldEvents(events: Iterable<StoredEvent>): RunResult {
  const fold = new RunFold();
  for (const event of events) fold.add(event);
  return fold.result();
}

/** Folds events as they arrive: keeps the result so far, not the events. */
export class RunFold {
  readonly #cells = new Map<string, CellFold>();
  #started: (RunStarted & { readonly at: string }) | undefined;
  #finished: RunFinished | undefined;
  readonly #warnings = new Set<string>();
  #lastAt: string | undefined;
  /** When the current part of the run began, and the milliseconds of the parts before. */
  #begunAt: string | undefined;
  #beforeMs = 0;

  /** @throws HarnessError for an event before `run.started`, or of a cell that was not planned. */
  add(event: StoredEvent): void {
    if (event.type === 'run.resumed') this.#beforeMs = this.#durationMs();
    this.#lastAt = event.at;
    if (event.type === 'run.started') {
      this.#started ??= event;
      this.#begunAt ??= event.at;
      for (const cell of event.cells) if (!this.#cells.has(cell.name)) this.#cells.set(cell.name, new CellFold(cell));
    } else if (!this.#started) {
      throw new HarnessError(`cannot fold the events: the first is ${event.type}, not run.started`);
    } else if (event.type === 'run.resumed') {
      this.#finished = undefined;
      this.#begunAt = event.at;
      for (const cell of this.#started.cells)
        if (event.cells.includes(cell.name)) this.#cells.set(cell.name, new CellFold(cell));
    } else if (event.type === 'run.finished') {
      this.#finished = event;
    } else if (event.cell !== undefined) {
      const cell = this.#cells.get(event.cell);
      if (!cell)
        throw new HarnessError(`cannot fold the events: ${event.type} of ${event.cell}, a cell that was not planned`);
      cell.add(event);
    } else if (event.type === 'log' && event.level === 'warn') {
      this.#warnings.add(event.message);
    }
  }

  /** The first event; undefined: nothing was added. */
  get started(): RunStarted | undefined {
    return this.#started;
  }

  /** Drops all cells: reports of a large run read it again, and there is no room for it twice. */
  forget(): void {
    this.#cells.clear();
  }

  /** The names of the cells that have not ended. */
  unfinished(): string[] {
    return [...this.#cells].filter(([, cell]) => !cell.finished).map(([name]) => name);
  }

  /** The current state of each cell, in the order of the plan. */
  cells(): CellResult[] {
    const { quarantine = [], at = '' } = this.#started ?? {};
    return [...this.#cells.values()].map((cell) => withQuarantine(cell.result(), quarantine, at));
  }

  /** Milliseconds that the run has taken, without the time between an end and a resumption. */
  #durationMs(): number {
    return this.#beforeMs + (this.#finished?.durationMs ?? between(this.#begunAt, this.#lastAt));
  }

  /** @throws HarnessError when nothing was added. */
  result(): RunResult {
    const started = this.#started;
    const finished = this.#finished;
    if (!started) throw new HarnessError('cannot fold the events: there are none');
    const cells = compareWithControl(this.cells(), started.control);
    const exitCode = exitCodeOf(cells, finished);
    return {
      run: started.run,
      harness: started.harness,
      matrix: started.matrix,
      control: started.control,
      host: started.host,
      ...(started.git ? { git: started.git } : {}),
      ...(started.origin ? { origin: started.origin } : {}),
      ...(started.selection ? { selection: started.selection } : {}),
      jobs: started.jobs,
      jobsReason: started.jobsReason,
      ...(this.#warnings.size > 0 ? { warnings: [...this.#warnings] } : {}),
      startedAt: started.at,
      durationMs: this.#durationMs(),
      state: stateOf(exitCode),
      exitCode,
      cells,
      counts: countTests(cells),
      ...(started.quarantine ? { quarantine: started.quarantine } : {}),
      ...costOf(cells),
    };
  }
}

function exitCodeOf(cells: readonly CellResult[], finished: RunFinished | undefined): number {
  if (!finished) return 4;
  const decided = decide(cells, finished);
  // Never greener than either: the run may have failed for a reason that no cell has.
  return decided === 0 ? finished.exitCode : decided;
}

/**
 * Adds to each failed test the result of the same test on the control architecture with the same kind of target and
 * release, from this run or a re-run, and the result of re-running it where it failed.
 */
function compareWithControl(cells: readonly CellResult[], control: CellResult['arch']): CellResult[] {
  const keyOf = ({ target, suite, release }: CellResult) => JSON.stringify([target, suite, release]);
  const controls = new Map<string, CellResult>();
  for (const cell of cells) if (cell.arch === control && !controls.has(keyOf(cell))) controls.set(keyOf(cell), cell);
  return cells.map((cell) => {
    if (cell.arch === control || !cell.tests.some(({ verdict }) => verdict === 'failed')) return cell;
    const same = Map.groupBy(controls.get(keyOf(cell))?.tests ?? [], testKey);
    const tests = cell.tests.map((test) =>
      test.verdict === 'failed' ? { ...test, control: controlOf(same.get(testKey(test)) ?? [], test) } : test,
    );
    return { ...cell, tests };
  });
}

/** @param same the test of that name in the run's own control cell. */
function controlOf(same: readonly TestResult[], { controlTries = [] }: TestResult): ControlComparison {
  const tried = (place: ControlPlace) =>
    controlTries.filter((one) => one.place === place).map(({ verdict }) => verdict);
  const there = [...same.map(({ verdict }) => verdict), ...tried('there')];
  const here = tried('here');
  // A test that passes here now has both passed and failed here, so it fails by chance, whatever it does elsewhere.
  if (here.includes('passed')) return 'passes-here-now';
  if (here.includes('infra') || here.includes('emulator')) return 'machine-died';
  if (there.includes('failed')) return 'fails-on-control';
  return there.includes('passed') || there.includes('flaky') ? 'passes-on-control' : 'control-unknown';
}

/** The cost of re-running failed tests. */
function costOf(cells: readonly CellResult[]): Pick<RunResult, 'controlCost'> {
  const tries = cells.flatMap((cell) => cell.tests.flatMap(({ controlTries = [] }) => controlTries));
  const durationMs = tries.reduce((sum, one) => sum + one.durationMs, 0);
  const made = tries.filter(({ verdict, durationMs }) => verdict !== 'unknown' || durationMs > 0);
  return made.length > 0 ? { controlCost: { tries: made.length, durationMs } } : {};
}

/** How each verdict on a test is counted. */
const COUNTED = {
  passed: 'passed',
  failed: 'failed',
  flaky: 'flaky',
  skipped: 'skipped',
  infra: 'infra',
  emulator: 'infra',
  incomplete: 'neverRan',
} as const satisfies Record<TestResult['verdict'], keyof Counts>;

/** How many tests of some cells came to what. */
export function countTests(cells: readonly CellResult[]): Counts {
  const counts = { planned: 0, passed: 0, failed: 0, flaky: 0, skipped: 0, infra: 0, neverRan: 0 };
  for (const { tests } of cells)
    for (const { verdict } of tests) {
      counts.planned++;
      counts[COUNTED[verdict]]++;
    }
  return counts;
}
