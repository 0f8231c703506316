import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, HarnessError } from '../base/errors.ts';
import { stateFolder } from '../base/folders.ts';
import { version } from '../base/package.ts';
import { shellQuote, some } from '../base/text.ts';
import { findProject } from '../config/load/project.ts';
import { failedTests, isRed } from '../events/failed.ts';
import { loadRun } from '../events/load-run.ts';
import { eventsIn } from '../events/reader.ts';
import type { RunResult } from '../events/result.ts';
import { optionsFor, selectionWords } from '../events/selection.ts';
import type { TestSelection } from '../events/test-selection.ts';
import type { RunStarted, Selection } from '../events/types.ts';
import { Ledger } from '../fleet/ledger.ts';
import type { CellOptions, ChosenCells } from '../matrix/plan.ts';
import { isRunActive } from '../run/schedule/lease.ts';
import { type RunOptions, runsFolder } from '../run/schedule/run.ts';
import { chooseCells } from './cells.ts';
import { runFolderOf } from './run-of.ts';

/** The part of an earlier run to run again. */
export interface Again {
  readonly chosen: ChosenCells;
  /** The options of the earlier run. */
  readonly options: Selection['options'];
  readonly tests: RunOptions['tests'];
  readonly resume?: RunOptions['resume'];
}

/** An earlier run with nothing left to run. */
export interface Nothing {
  readonly nothing: string;
  readonly folder: string;
  readonly exitCode: number;
}

interface Earlier {
  readonly folder: string;
  readonly name: string;
  readonly result: RunResult;
  readonly started: RunStarted;
  readonly selection: Selection;
}

/**
 * The cells of a killed, interrupted or shortened run that have no result, to be run as part of it.
 * @throws ConfigError if it is still running, or cannot be continued: another harness, changed files, cells that are
 * gone.
 */
export async function whatIsLeft(run: string): Promise<Again | Nothing> {
  const earlier = await earlierRun(run);
  const ledger = await Ledger.open(earlier.folder);
  if (ledger.goesOn)
    throw new ConfigError(`cannot go on with ${earlier.name}: it has jobs on ${ledger.opened!.engine.name}`, {
      hint: `Go on with them: harness attach ${earlier.name}; or end them first: harness cancel ${earlier.name}`,
    });
  const { name, folder, result, started, selection } = earlier;
  if (result.harness !== version)
    throw new ConfigError(`cannot resume ${name}: harness ${result.harness} made it, and this is ${version}`, {
      hint: freshHint(earlier),
    });
  const finished = await hasEnd(folder);
  const left = new Set(result.cells.filter(({ verdict }) => verdict === 'incomplete').map((cell) => cell.name));
  if (left.size === 0 && finished)
    return { nothing: `every cell of ${name} has its result`, folder, exitCode: result.exitCode };
  const names = result.cells.map((cell) => cell.name);
  const { cells, ...chosen } = await cellsOf(earlier, names);
  return {
    chosen: { ...chosen, selection, cells: cells.filter((cell) => left.has(cell.name)) },
    options: selection.options,
    tests: testsOf(result),
    resume: { folder, inputs: started.inputs, all: cells, hint: freshHint(earlier) },
  };
}

/**
 * The failures of an earlier run: of a cell whose only problem was tests, these; of any other, all that it ran.
 * @throws ConfigError if it is still running, or cells are gone.
 */
export async function whatFailed(run: string): Promise<Again | Nothing> {
  const earlier = await earlierRun(run);
  const { name, folder, result, selection } = earlier;
  const red = result.cells.filter(isRed);
  if (red.length === 0) return { nothing: `${name} has nothing red`, folder, exitCode: result.exitCode };
  const chosen = await cellsOf(
    earlier,
    red.map((cell) => cell.name),
  );
  const tests = red.flatMap((cell): [string, TestSelection][] => {
    const these = failedTests(cell) ?? cell.chosen;
    return these ? [[cell.name, these]] : [];
  });
  const { test: _test, file: _file, ...options } = selection.options;
  return { chosen, options, tests: new Map(tests) };
}

async function earlierRun(run: string): Promise<Earlier> {
  const { root } = await findProject(process.cwd());
  // `latest` is a link, and a run's folder has the name of the run.
  const folder = await realpath(await runFolderOf(run, root));
  const name = basename(folder);
  if (dirname(folder) !== (await realpath(runsFolder(root)).catch(() => '')))
    throw new ConfigError(`cannot run ${folder} again: it is no run of this project`, {
      hint: `Runs of this project are in ${runsFolder(root)}.`,
    });
  if (await isRunActive(stateFolder(), name))
    throw new ConfigError(`cannot run ${name} again: it is still running`, { hint: 'Wait for it, or interrupt it.' });
  const started = await startOf(join(folder, 'events.jsonl'), name);
  const result = await loadRun(folder);
  const selections = new Map(
    [result.selection, ...result.cells.map((cell) => cell.selection)].flatMap((one) =>
      one ? [[JSON.stringify(selectionWords(one, { cells: ['*'] })), one]] : [],
    ),
  );
  const [selection, ...others] = selections.values();
  if (!selection)
    throw new ConfigError(`cannot run ${name} again: it does not say what chose its cells`, {
      hint: 'An older harness made it: run its matrix anew.',
    });
  if (others.length > 0)
    throw new ConfigError(`cannot run ${name} again: its cells were chosen in ${selections.size} different ways`, {
      hint: 'The report has a line for each cell that runs it again.',
    });
  return { folder, name, result, started, selection };
}

/** The first event of a run. @throws ConfigError when there is none. */
async function startOf(file: string, name: string): Promise<RunStarted> {
  for await (const event of eventsIn(file)) if (event.type === 'run.started') return event;
  throw new ConfigError(`cannot run ${name} again: it was killed before it had begun`, {
    hint: 'Nothing is lost: run it anew.',
  });
}

async function hasEnd(folder: string): Promise<boolean> {
  let ended = false;
  for await (const { type } of eventsIn(join(folder, 'events.jsonl'))) ended = type === 'run.finished';
  return ended;
}

/** The current cells of these names. @throws ConfigError that names missing ones. */
async function cellsOf(earlier: Earlier, names: readonly string[]): Promise<ChosenCells> {
  const { name, selection } = earlier;
  const { root } = await findProject(process.cwd());
  // A command belongs to the folder in which it was given.
  const cwd = selection.options['command'] === undefined ? root : process.cwd();
  const options = optionsFor(selection, names) as CellOptions;
  const chosen = await chooseCells(selection.matrix, options, cwd).catch((cause: unknown) => {
    if (!(cause instanceof HarnessError)) throw cause;
    throw new ConfigError(`cannot run ${name} again: ${cause.message}`, { cause, hint: freshHint(earlier) });
  });
  const there = new Set(chosen.cells.map((cell) => cell.name));
  const gone = names.filter((one) => !there.has(one));
  if (gone.length > 0)
    throw new ConfigError(`cannot run ${name} again: the matrix has no ${some(gone)} any more`, {
      hint: freshHint(earlier),
    });
  return chosen;
}

/** Which tests the cells of a run were to run. */
function testsOf({ cells }: RunResult): RunOptions['tests'] {
  const tests = cells.flatMap((cell): [string, TestSelection][] => (cell.chosen ? [[cell.name, cell.chosen]] : []));
  return tests.length > 0 ? new Map(tests) : undefined;
}

function freshHint({ selection }: Pick<Earlier, 'selection'>): string {
  return `Run it anew: ${['harness run', ...selectionWords(selection).map(shellQuote)].join(' ')}`;
}
