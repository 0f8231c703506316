import { join } from 'node:path';
import { ConfigError, StackError } from '../../base/errors.ts';
import { quote } from '../../base/quote.ts';
import { shellQuote, some } from '../../base/text.ts';
import { COMMAND_FILE } from '../../commands/judge.ts';
import { isStop } from '../../events/chosen.ts';
import { labelOf, testKey } from '../../events/identity.ts';
import type { TestSelection } from '../../events/test-selection.ts';
import type { HarnessEvent, TestFinished, Verdict } from '../../events/types.ts';
import { readJournal } from '../../scenario/journal.ts';
import { cellFolder, type OnTarget } from '../cell/context.ts';
import type { StartedNode } from '../cell/start-cell.ts';
import { Stopped } from '../cell/step.ts';
import type { Pause } from '../schedule/pause.ts';
import { commandsStep } from '../suite/commands-step.ts';
import { suiteStep } from '../suite/suite-step.ts';
import { startTrial } from './machine.ts';
import { openSoleRun, type SoleRunOptions } from './sole-run.ts';

export interface AtTestOptions extends SoleRunOptions {
  /** The test: its full name (`file > name`) or a pattern as for `--test`; for a command, its label. */
  readonly at: string;
  /** The tests of the cell that run; absent: all, as in a whole run. */
  readonly tests?: TestSelection | undefined;
  /** The folder for its files, absolute. */
  readonly folder: string;
}

/** Machines in the state in which a test finds them. */
export interface AtTest {
  readonly nodes: readonly [StartedNode, ...StartedNode[]];
  /** The test, as `file > name`. */
  readonly test: string;
  /** The tests that ran before it, in order. */
  readonly before: readonly { readonly name: string; readonly verdict: Verdict }[];
}

/**
 * Brings a cell's machines to the state in which a test finds them: restores them to just after deployment, then runs
 * everything that comes before the test, including the set-up of its file. The suite's process waits there while `look`
 * runs; nothing after that point is run.
 * @returns what `look` returns.
 * @throws ConfigError when there is no such test; otherwise the error that kept the test from being reached.
 */
export async function lookAtTest<T>(options: AtTestOptions, look: (found: AtTest) => Promise<T>): Promise<T> {
  const { cell, at, tests, signal } = options;
  await using sole = await openSoleRun(options.folder, options);
  const { run } = sole;
  const finished: TestFinished[] = [];
  const hear = (event: HarnessEvent) => {
    if (event.type === 'test.finished') finished.push(event);
  };
  const folder = cellFolder(run.open.folder, cell.name);
  const { onProgress: progress } = options;
  await using machine = await startTrial({ cell, run, place: 'here', folder, signal, hear, progress });
  const { on } = machine;
  const end = new AbortController();
  let seen: Promise<T> | undefined;
  let looking = false;
  const pause: Pause = {
    armed: false,
    get active() {
      return looking;
    },
    totalMs: 0,
    async at({ what: test }) {
      looking = true;
      seen = look({ nodes: on.started.nodes, test, before: beforeIt(finished, folder) });
      await seen.catch(() => {});
      // Nothing more of the suite runs: neither the test nor its clean-up.
      end.abort(new Stopped('it has been looked at'));
      looking = false;
    },
  };
  const { context } = on;
  const choices = {
    ...context.run.choices,
    ...{ stopAt: at, retries: undefined },
    ...(tests === undefined ? {} : { tests: new Map([[cell.name, tests]]) }),
  };
  const stopping: OnTarget = {
    ...on,
    context: { ...context, run: { ...context.run, pause, choices } },
    signal: AbortSignal.any([on.signal, end.signal]),
  };
  try {
    for (const step of stepsOf(stopping)) {
      await step();
      if (seen) break;
    }
  } catch (error) {
    if (!seen) throw signal.aborted ? signal.reason : error;
  }
  if (seen) return await seen;
  throw notReached(at, cell.name, finished);
}

/** The tests that have run so far. From the journal, because vitest reports late. @param folder the cell's. */
function beforeIt(finished: readonly TestFinished[], folder: string): AtTest['before'] {
  const reported = new Set(finished.map(testKey));
  const untold = ['scenarios', 'benchmarks'].flatMap((step) =>
    readJournal(join(folder, `${step}.journal`)).tests.filter((test) => !reported.has(testKey(test))),
  );
  const late = untold.flatMap(({ name, attempts, skipped }) => {
    const verdict: Verdict | undefined = skipped === undefined ? attempts.at(-1)?.verdict : 'skipped';
    return verdict === undefined ? [] : [{ name, verdict }];
  });
  return [...finished, ...late].map(({ name, verdict }) => ({ name, verdict }));
}

/** The error when the suite never reached the test. */
function notReached(at: string, cell: string, finished: readonly TestFinished[]): Error {
  const meant = finished.find((test) => isStop(at, test, finished));
  if (meant?.step === 'tests' && meant.file !== COMMAND_FILE)
    return new ConfigError(`cannot stop at ${quote(at)}: it runs inside of the command ${quote(meant.file)}`, {
      hint: `Stop before the command: --at ${shellQuote(meant.file)}`,
    });
  if (meant) {
    const why = meant.note ?? meant.attempts.at(-1)?.errors[0]?.message ?? meant.verdict;
    const end = meant.verdict === 'skipped' ? 'it is skipped' : 'what sets it up failed';
    return new StackError(`cannot stop at ${quote(at)}: ${end}: ${why}`, {
      hint: 'To see the machine after a failure: harness run --pause, or --keep',
    });
  }
  const names = [...new Set(finished.map((test) => `${test.file} > ${labelOf(test)}`))];
  return new ConfigError(`cannot stop at ${quote(at)}: no test of ${cell} is called so`, {
    hint: names.length > 0 ? `There are ${some(names, 20)}` : 'No test of it ran.',
  });
}

/** The steps of a cell that have tests, in their order. */
function stepsOf(on: OnTarget): (() => Promise<unknown>)[] {
  const { setUp } = on.started;
  const commands =
    on.context.cell.suite.tests.length > 0 && setUp ? [() => commandsStep(on, setUp.workspace, () => {})] : [];
  return [...commands, () => suiteStep(on, 'scenarios'), () => suiteStep(on, 'benchmarks')];
}
