import { join } from 'node:path';
import { InfraError } from '../../base/errors.ts';
import { scaledMs } from '../../base/time.ts';
import { retriesOf } from '../../config/retries.ts';
import { selectionText } from '../../events/chosen.ts';
import { errorDataOf } from '../../events/error-data.ts';
import { FILE_ITSELF, type TestName } from '../../events/identity.ts';
import type { TestSelection } from '../../events/test-selection.ts';
import type { TestFinished, Verdict } from '../../events/types.ts';
import { mostTelling, verdicts } from '../../events/verdicts.ts';
import { consolesOf, type OnTarget, whileAlive } from '../cell/context.ts';
import { type StepOutcome, step } from '../cell/step.ts';
import { blameMachine, blameSilence } from './blame.ts';
import { watchConsoles, withConsoles } from './console-lines.ts';
import { contextBlanks, contextNodes, serveControl } from './suite-control.ts';

/** Default deadline of a scenario, in native seconds. */
const SCENARIO_SECONDS = 10;

/** Runs a suite's scenarios or benchmarks. A failing test is an outcome, not an error. */
export async function suiteStep(on: OnTarget, name: 'scenarios' | 'benchmarks'): Promise<StepOutcome> {
  const { started, signal } = on;
  const { cell, run, folder } = on.context;
  const { repeat } = run.choices;
  const tests = run.choices.tests?.get(cell.name);
  const { network } = started;
  const scale = started.scale.factor;
  return step(whileAlive(on), name, async (io) => {
    const native =
      name === 'scenarios' ? (cell.suite.timeouts.test ?? SCENARIO_SECONDS) : cell.suite.timeouts.benchmark;
    await using control = await serveControl(on, io);
    using consoles = watchConsoles(consolesOf(on));
    const begun = performance.now();
    const { finished, files, left, cutShort } = await run.runSuite({
      context: {
        cell: cell.name,
        nodes: contextNodes(started),
        ...(network ? { lanSocket: network.controlSocket } : {}),
        ...(started.blanks ? { blanks: contextBlanks(started.blanks) } : {}),
        suite: cell.suite,
        retries: retriesOf(cell.suite, run.matrix, run.choices.retries).test,
        scale,
        step: name,
        ...(tests === undefined ? {} : { tests }),
        ...(repeat === undefined ? {} : { repeat }),
        ...(run.pause.armed ? { pause: true as const } : {}),
        ...(run.choices.stopAt === undefined ? {} : { stopAt: run.choices.stopAt }),
        cacheFolder: join(folder, 'vitest'),
        journal: join(folder, `${name}.journal`),
        controlSocket: control.socket,
        testTimeoutMs: scaledMs(native, scale),
      },
      emit: withConsoles(run.open.emit, consoles),
      progress: io.progress,
      isPaused: () => run.pause.active,
      signal: AbortSignal.any([signal, run.bail.tests]),
    });
    const outcome = chosenOutcome(name, outcomeOf(name, finished, files), { tests, finished, left });
    if (outcome.verdict === 'infra' || outcome.verdict === 'failed') await blameSilence(on);
    if (outcome.verdict === 'failed') await blameMachine(on, { ageMs: performance.now() - begun, finished });
    if (cutShort !== undefined) {
      // What cut it short decides the verdict, unless the suite had failed before.
      if (outcome.verdict === 'failed' && !(cutShort instanceof InfraError))
        return [outcome, { ...outcome, error: errorDataOf(cutShort) }];
      throw cutShort;
    }
    return [outcome, outcome];
  });
}

/** The file name endings of each step's tests. */
const ENDINGS = { scenarios: '.scenario.ts', benchmarks: '.bench.ts' } as const;

/** The outcome with selected tests: if a selected test no longer exists, that is no success. */
function chosenOutcome(
  name: keyof typeof ENDINGS,
  outcome: StepOutcome,
  ran: {
    readonly tests: TestSelection | undefined;
    readonly finished: readonly TestName[];
    readonly left: readonly string[] | undefined;
  },
): StepOutcome {
  const { tests, finished, left = [] } = ran;
  if (tests === undefined) return outcome;
  const missing = (tests.only ?? []).filter(
    ({ file, test }) =>
      file.endsWith(ENDINGS[name]) &&
      !finished.some(
        (one) => one.file === file && (test === undefined || one.name === test || one.name === FILE_ITSELF),
      ),
  );
  if (missing.length > 0 && !verdicts[outcome.verdict].bad) {
    const reason = `not there any more: ${selectionText({ only: missing })}`;
    return { verdict: 'incomplete', note: reason, reason };
  }
  if (outcome.verdict !== 'skipped' || finished.length > 0) return { ...outcome, left };
  return { ...outcome, note: `none of the ${name} is chosen by ${selectionText(tests)}`, left };
}

/** The outcome of a step's tests. @param files the number of files or commands. */
export function outcomeOf(
  name: string,
  finished: readonly (Pick<TestFinished, 'verdict'> & Partial<Pick<TestFinished, 'attempts'>>)[],
  files: number,
): StepOutcome {
  const ran = finished.filter((test) => test.verdict !== 'skipped');
  if (ran.length === 0) {
    return {
      verdict: 'skipped',
      note: files === 0 ? `the suite has no ${name}` : 'every test is skipped',
      reason: `no ${name} ran`,
    };
  }
  const count = (verdict: Verdict) => ran.filter((test) => test.verdict === verdict).length;
  const verdict = mostTelling(ran.map((test) => test.verdict)) ?? 'passed';
  const what = `${ran.length - count(verdict === 'passed' ? 'failed' : verdict)} of ${ran.length} passed`;
  const counted = `${count(verdict)} of ${ran.length} ${name} ${verdict === 'flaky' ? 'were flaky' : 'failed'}`;
  // A count of failed tests would not say what the machine did.
  const lost = verdict === 'infra' || verdict === 'emulator' ? ran.find((test) => test.verdict === verdict) : undefined;
  const because = lost?.attempts?.at(-1)?.errors[0]?.message;
  return {
    verdict,
    note: verdict === 'passed' ? `${ran.length} passed` : what,
    reason: because === undefined ? counted : `${counted}: ${because}`,
  };
}
