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
  /** The test: its full name, `file > name`, or a pattern as `--test` has it; of a command its label. */
  readonly at: string;
  /** Which tests of the cell run; absent: all, as in a whole run. */
  readonly tests?: TestSelection | undefined;
  /** Where its files go, absolute. */
  readonly folder: string;
}

/** Machines as a test found them. */
export interface AtTest {
  readonly nodes: readonly [StartedNode, ...StartedNode[]];
  /** The test, as `file > name`. */
  readonly test: string;
  /** What ran before it, in order. */
  readonly before: readonly { readonly name: string; readonly verdict: Verdict }[];
}

/**
 * Brings a cell's machines to where a test finds them: warm as they were deployed, then everything that runs before the test,
 * with the set-up of its file. The suite's process waits there while `look` goes on, and nothing that would come behind runs.
 * @returns what `look` returns.
 * @throws ConfigError when there is no such test; what went wrong on the way to it.
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
      // Nothing of the suite goes on: not the test, and none of what cleans up.
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

/** What has run until now: vitest reports late, the journal says it at once. @param folder the cell's. */
function beforeIt(finished: readonly TestFinished[], folder: string): AtTest['before'] {
  const told = new Set(finished.map(testKey));
  const untold = ['scenarios', 'benchmarks'].flatMap((step) =>
    readJournal(join(folder, `${step}.journal`)).tests.filter((test) => !told.has(testKey(test))),
  );
  const late = untold.flatMap(({ name, attempts, skipped }) => {
    const verdict: Verdict | undefined = skipped === undefined ? attempts.at(-1)?.verdict : 'skipped';
    return verdict === undefined ? [] : [{ name, verdict }];
  });
  return [...finished, ...late].map(({ name, verdict }) => ({ name, verdict }));
}

/** Why nothing stopped at a test. */
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
