import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scaledMs } from '../../base/time.ts';
import { fetchArtifacts } from '../../commands/artifacts.ts';
import { mergeAttempts, mergeRepeats } from '../../commands/attempts.ts';
import { environmentOf } from '../../commands/environment.ts';
import { COMMAND_FILE, type CommandTest, commandTest, foreignTests, judge } from '../../commands/judge.ts';
import { type OutputLog, outputLog } from '../../commands/output-log.ts';
import { fileResults, printedResults, removeStale } from '../../commands/results.ts';
import { runCommand } from '../../commands/runner.ts';
import type { Workspace } from '../../commands/workspace.ts';
import { retriesOf } from '../../config/retries.ts';
import type { Suite } from '../../config/suite.ts';
import { isStop, namePattern } from '../../events/chosen.ts';
import { errorDataOf } from '../../events/error-data.ts';
import type { TestSelection } from '../../events/test-selection.ts';
import type { TestFinished } from '../../events/types.ts';
import { argvOf } from '../../stacks/ready.ts';
import { consolesOf, type OnTarget, whileAlive } from '../cell/context.ts';
import { type StepOutcome, Stopped, skipStep, step, verdictOfError } from '../cell/step.ts';
import { blameMachine } from './blame.ts';
import { watchConsoles, withConsoles } from './console-lines.ts';
import { outcomeOf } from './suite-step.ts';

type Entry = Suite['tests'][number];

/** Default deadline of a command, in native seconds. */
const COMMAND_SECONDS = 600;
/** Deadline for finding or fetching a file on the machine, in native seconds. */
const FILES_SECONDS = 60;

/**
 * Runs the commands of a suite's `tests` on its machine (in a cluster, the first) and fetches its artifacts. Their
 * results are tests; only the loss of the machine is an error.
 * @param keep called with the absolute path of each file that was fetched.
 */
export async function commandsStep(
  on: OnTarget,
  workspace: Workspace,
  keep: (file: string) => void,
): Promise<StepOutcome> {
  const { cell, folder, run } = on.context;
  const entries = cell.suite.tests.filter((entry) => isChosen(run.choices.tests?.get(cell.name), labelOf(entry)));
  const left = cell.suite.tests.filter((entry) => !entries.includes(entry)).map(labelOf);
  if (entries.length === 0) {
    const note = 'none of its commands is chosen';
    await skipStep(on.context, 'tests', note);
    return { verdict: 'skipped', note, left };
  }
  return step(whileAlive(on), 'tests', async (io) => {
    const begun = performance.now();
    const finished: TestFinished[] = [];
    using consoles = watchConsoles(consolesOf(on));
    const tell = withConsoles(run.open.emit, consoles);
    const emit = async (tests: readonly CommandTest[]) => {
      const events = tests.map(
        (test): TestFinished => ({ type: 'test.finished', cell: cell.name, step: 'tests', ...test }),
      );
      for (const event of events) finished.push(event);
      // All at once, so that thousands of tests wait for the disk once.
      await Promise.all(events.map((event) => tell(event)));
    };
    const logFile = join(folder, 'output.log');
    await writeFile(logFile, '');
    keep(logFile);
    const log = outputLog(logFile, (line) => run.output(cell.name, line));
    try {
      for (const entry of entries) {
        if (run.bail.tests.aborted) break;
        io.progress(labelOf(entry));
        await stopBefore(on, entry);
        await emit(await testsOf(on, workspace, entry, log, emit));
      }
    } finally {
      await log.end();
    }
    const { files, problems } = await bringBack(on, workspace, join(folder, 'artifacts'));
    await emit(problems.map((message) => commandTest('artifacts', 0, [{ type: 'ArtifactError', message }])));
    files.forEach(keep);
    const outcome = { ...outcomeOf('tests', finished, entries.length), left };
    if (outcome.verdict === 'failed') await blameMachine(on, { ageMs: performance.now() - begun, finished });
    return [outcome, outcome];
  });
}

/** Stops before the command whose machine the user wants to see. */
async function stopBefore({ context: { cell, run }, signal }: OnTarget, entry: Entry): Promise<void> {
  const { stopAt } = run.choices;
  const named = (one: Entry) => ({ file: COMMAND_FILE, name: labelOf(one) });
  if (stopAt === undefined || !isStop(stopAt, named(entry), cell.suite.tests.map(named))) return;
  await run.pause.at({ cell: cell.name, folder: run.open.folder, what: labelOf(entry), why: '' }, signal);
  signal.throwIfAborted();
}

/** The tests of a command, with the suite's retries. @param emit for results reported before its machine was lost. */
async function testsOf(
  on: OnTarget,
  workspace: Workspace,
  entry: Entry,
  log: OutputLog,
  emit: (tests: readonly CommandTest[]) => Promise<void>,
): Promise<CommandTest[]> {
  const { cell, run } = on.context;
  const { test: retries } = retriesOf(cell.suite, run.matrix, run.choices.retries);
  const runs: CommandTest[][] = [];
  if (run.choices.repeat !== undefined) {
    while (runs.length < run.choices.repeat) runs.push(await runOnce(on, workspace, entry, log, emit));
    return mergeRepeats(runs);
  }
  do runs.push(await runOnce(on, workspace, entry, log, emit));
  while (runs.length <= retries && runs.at(-1)!.some(({ verdict }) => verdict === 'failed'));
  return mergeAttempts(runs);
}

/** Whether a command is selected. A command has no file, and its own tests cannot be selected one by one. */
function isChosen(tests: TestSelection | undefined, label: string): boolean {
  if (tests === undefined) return true;
  if (tests.files !== undefined || !(tests.steps?.includes('tests') ?? true)) return false;
  const { only, names } = tests;
  const named = only?.some(({ file, test }) => file === label || (file === COMMAND_FILE && (test ?? label) === label));
  return (named ?? true) && (names?.some((name) => namePattern(name)(label)) ?? true);
}

async function runOnce(
  { context: { cell }, started, signal }: OnTarget,
  workspace: Workspace,
  entry: Entry,
  log: OutputLog,
  emit: (tests: readonly CommandTest[]) => Promise<void>,
): Promise<CommandTest[]> {
  const [{ target }] = started.nodes;
  const scale = started.scale.factor;
  const label = labelOf(entry);
  const deadlineMs = scaledMs(entry.seconds ?? cell.suite.timeouts.test ?? COMMAND_SECONDS, scale);
  const filesMs = scaledMs(FILES_SECONDS, scale);
  await removeStale(target, workspace, entry.results, filesMs);
  const begun = performance.now();
  const printed: Buffer[] = [];
  log.begin();
  try {
    const end = await runCommand(target, {
      workspace,
      argv: argvOf(entry.run),
      env: environmentOf(cell.suite, target.facts.arch, scale),
      deadlineMs,
      signal,
      onOutput(stream, chunk) {
        if (stream === 'stdout') printed.push(chunk);
        log.add(stream, chunk);
      },
    });
    const results =
      printedResults(entry.results, Buffer.concat(printed)) ??
      (await fileResults(target, workspace, entry.results, filesMs));
    const inOutput = typeof entry.results === 'string';
    return judge({
      label,
      end,
      deadlineMs,
      printed: inOutput,
      tail: log.tail(20),
      ...(results === undefined ? {} : { results }),
    });
  } catch (thrown) {
    const error = signal.aborted ? signal.reason : thrown;
    // Results from before the machine was lost still count; the command itself never finished.
    const results = printedResults(entry.results, Buffer.concat(printed));
    if (results) await emit(foreignTests(label, results));
    const verdict = verdictOfError(error);
    if (!(error instanceof Stopped))
      await emit([
        commandTest(
          label,
          Math.round(performance.now() - begun),
          [errorDataOf(error)],
          verdict === 'emulator' ? 'emulator' : 'infra',
        ),
      ]);
    throw error;
  }
}

/** A command's name for people. */
export function labelOf({ name, run }: Pick<Entry, 'name' | 'run'>): string {
  return (name ?? (typeof run === 'string' ? run : run.join(' '))).split('\n')[0]!.slice(0, 120);
}

async function bringBack({ context: { cell }, started }: OnTarget, workspace: Workspace, folder: string) {
  const { suite } = cell;
  if (suite.artifacts.length === 0) return { files: [], problems: [] };
  const [{ target }] = started.nodes;
  return fetchArtifacts(target, workspace, suite.artifacts, folder, scaledMs(FILES_SECONDS, started.scale.factor));
}
