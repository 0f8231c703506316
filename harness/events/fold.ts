import { HarnessError } from '../base/errors.ts';
import { decide, stateOf } from './decide.ts';
import { between, CellFold } from './fold-cell.ts';
import type { CellResult, ControlComparison, Counts, RunResult, TestResult } from './result.ts';
import type { RunFinished, RunStarted, StoredEvent } from './types.ts';

export { type DecidedCell, decide, type RunExitCode, stateOf } from './decide.ts';

/**
 * What a stream of events amounts to. A stream that ends early (the harness was killed) gives the state
 * `incomplete`, whatever had passed or failed until then.
 * @throws HarnessError when the stream does not begin with `run.started`.
 */
export function foldEvents(events: Iterable<StoredEvent>): RunResult {
  let started: (RunStarted & { readonly at: string }) | undefined;
  let finished: RunFinished | undefined;
  let lastAt: string | undefined;
  const cells = new Map<string, CellFold>();
  for (const event of events) {
    lastAt = event.at;
    if (event.type === 'run.started') {
      started ??= event;
      for (const cell of event.cells) if (!cells.has(cell.name)) cells.set(cell.name, new CellFold(cell));
    } else if (!started) {
      throw new HarnessError(`cannot fold the events: the first is ${event.type}, not run.started`);
    } else if (event.type === 'run.finished') {
      finished = event;
    } else if (event.cell !== undefined) {
      const cell = cells.get(event.cell);
      if (!cell)
        throw new HarnessError(`cannot fold the events: ${event.type} of ${event.cell}, a cell that was not planned`);
      cell.add(event);
    }
  }
  if (!started) throw new HarnessError('cannot fold the events: there are none');

  const folded = compareWithControl(
    [...cells.values()].map((cell) => cell.result()),
    started.control,
  );
  const exitCode = exitCodeOf(folded, finished);
  return {
    run: started.run,
    harness: started.harness,
    matrix: started.matrix,
    control: started.control,
    host: started.host,
    ...(started.git ? { git: started.git } : {}),
    jobs: started.jobs,
    jobsReason: started.jobsReason,
    startedAt: started.at,
    durationMs: finished?.durationMs ?? between(started.at, lastAt),
    state: stateOf(exitCode),
    exitCode,
    cells: folded,
    counts: countTests(folded),
  };
}

function exitCodeOf(cells: readonly CellResult[], finished: RunFinished | undefined): number {
  if (!finished) return 4;
  const decided = decide(cells, finished);
  // Never greener than either account: the run may have failed for a reason that no cell has.
  return decided === 0 ? finished.exitCode : decided;
}

/** Adds to each failed test what the same test did on the control architecture with the same kind of target. */
function compareWithControl(cells: readonly CellResult[], control: CellResult['arch']): CellResult[] {
  return cells.map((cell) => {
    if (cell.arch === control) return cell;
    const leg = cells.find(
      (other) => other.arch === control && other.target === cell.target && other.suite === cell.suite,
    );
    return {
      ...cell,
      tests: cell.tests.map((test) => (test.verdict === 'failed' ? { ...test, control: controlOf(test, leg) } : test)),
    };
  });
}

function controlOf(test: TestResult, leg: CellResult | undefined): ControlComparison {
  const same = leg?.tests.filter(({ file, name }) => file === test.file && name === test.name) ?? [];
  if (same.some(({ verdict }) => verdict === 'failed')) return 'fails-on-control';
  return same.some(({ verdict }) => verdict === 'passed' || verdict === 'flaky')
    ? 'passes-on-control'
    : 'control-unknown';
}

function countTests(cells: readonly CellResult[]): Counts {
  const tests = cells.flatMap((cell) => cell.tests);
  const count = (...verdicts: readonly TestResult['verdict'][]): number =>
    tests.filter(({ verdict }) => verdicts.includes(verdict)).length;
  return {
    planned: tests.length,
    passed: count('passed'),
    failed: count('failed'),
    flaky: count('flaky'),
    skipped: count('skipped'),
    infra: count('infra', 'emulator'),
    neverRan: count('incomplete'),
  };
}
