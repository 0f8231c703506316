import { realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Option } from 'commander';
import { type Report, renderResultsJson, writeReports } from '../../../reports/index.ts';
import { ConfigError } from '../../base/errors.ts';
import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { version } from '../../base/package.ts';
import { quote } from '../../base/quote.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import type { RunResult } from '../../events/result.ts';
import { Ledger } from '../../fleet/ledger.ts';
import { runOnEngine } from '../../fleet/run.ts';
import { readTests } from '../../fleet/tests-file.ts';
import { type Pins, readPins } from '../../images/pins.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { CellOptions, ChosenCells } from '../../matrix/plan.ts';
import { type RunOptions, type RunOutcome, runMatrix, runsFolder } from '../../run/schedule/run.ts';
import { chooseCells } from '../cells.ts';
import { chosenTests, type TestOptions } from '../chosen-tests.ts';
import type { CliCommand } from '../command.ts';
import { type Nothing, whatFailed, whatIsLeft } from '../earlier-run.ts';
import { mustNotBeWith, onOf } from '../on.ts';
import { cellOptions, collect, count, displayOptions, reportOption, whole } from '../options.ts';
import { pauser } from '../pauser.ts';
import { quarantineOf } from '../quarantine.ts';
import { placeOf, type ReportFlags, reportsOf } from '../reports-of.ts';
import { runFolderOf } from '../run-of.ts';
import { type WatchOptions, watched } from '../watched.ts';
import { attachRun, hasController } from './attach.ts';

export interface RunFlags extends CellOptions, ReportFlags, TestOptions, WatchOptions {
  /** The engine that runs the cells. */
  readonly on?: string;
  readonly detach?: boolean;
  /** The images of a plan: no others, or others where they cannot be had. */
  readonly images?: string;
  readonly preferImages?: string;
  /** The run's folder, for a part of another run. */
  readonly into?: string;
  /** A file with the tests of each cell, for a part of another run. */
  readonly testsFrom?: string;
  readonly jobs?: number;
  readonly keep?: boolean;
  readonly bench?: boolean;
  readonly cold?: boolean;
  readonly control?: boolean;
  /** For `nightly`: the folder of its history. */
  readonly history?: string;
  readonly bail?: number | true;
  readonly pause?: boolean;
  readonly pauseMinutes?: number;
  readonly repeat?: number;
  readonly retries?: number;
  readonly resume?: string;
  readonly failed?: string | true;
}

/** `harness run [matrix]` */
async function run(named: string | undefined, options: RunFlags): Promise<number> {
  const { exitCode } = await runCells(named, options, (result) => {
    if (options.json) process.stdout.write(renderResultsJson(result));
  });
  return exitCode;
}

/**
 * Runs the cells that a command line chooses, with progress, reports and the other files of a run.
 * @param onResult receives the result, once the reports have been written.
 */
export async function runCells(
  named: string | undefined,
  options: RunFlags,
  onResult: (result: RunResult) => void = () => {},
): Promise<RunOutcome> {
  const which = reportsOf(options);
  const jobs = await jobsOf(options);
  if (jobs !== undefined) return { run: basename(jobs), folder: jobs, exitCode: await attachRun(jobs, options) };
  const plan = await planOf(named, options);
  if ('nothing' in plan) return nothingToRun(plan, options, which, onResult);
  const { chosen, flags, tests, resume } = plan;
  const { project, matrix, cells, providers, selection } = chosen;
  const { pause, pauseMinutes } = flags;
  const quarantine = await quarantineOf(project, options.history);
  const onPause = pause || pauseMinutes !== undefined ? pauser(pauseMinutes) : undefined;
  const about = {
    project: project.root,
    matrix: matrix.name,
    streams: onPause !== undefined || cells.some(({ suite }) => suite.tests.length > 0),
  };
  const on = await onOf(project, options);
  const outcome = await watched(options, { ...about, which, onResult }, async (watch) => {
    const given: RunOptions = {
      ...watch,
      matrix,
      cells: withRetries(cells, flags),
      selection,
      project: project.root,
      cache: cacheFolder(),
      providers,
      state: stateFolder(),
      version,
      argv: process.argv.slice(2),
      jobs: flags.jobs,
      keep: flags.keep === true,
      bench: flags.bench !== false,
      cold: flags.cold === true,
      control: flags.control === false ? false : undefined,
      quarantine,
      onPause,
      bail: flags.bail === true ? 1 : flags.bail,
      repeat: flags.repeat,
      tests,
      resume,
      pins: await pinsOf(options),
      ...(options.into === undefined ? {} : { into: resolve(options.into) }),
    };
    return on ? runOnEngine(given, on) : runMatrix(given);
  });
  if (!('detached' in outcome)) return outcome;
  process.stdout.write(`${outcome.detached}\n`);
  return { run: outcome.detached, folder: join(runsFolder(project.root), outcome.detached), exitCode: 0 };
}

/** The images that a plan names. @throws ConfigError where its file cannot be read. */
async function pinsOf({ images, preferImages }: RunFlags): Promise<Pins | undefined> {
  if (images !== undefined && preferImages !== undefined)
    throw new ConfigError('--images takes no other images, and --prefer-images does: only one of them is possible');
  if (images !== undefined) return readPins(resolve(images));
  return preferImages === undefined ? undefined : { ...(await readPins(resolve(preferImages))), optional: true };
}

/** The folder of a run to resume whose jobs on an engine may be going on, with no harness that has them: they are taken over. */
async function jobsOf({ resume, on }: RunFlags): Promise<string | undefined> {
  if (resume === undefined || on === undefined) return undefined;
  const folder = await realpath(await runFolderOf(resume, (await findProject(process.cwd())).root));
  const { goesOn } = await Ledger.open(folder);
  return goesOn && !(await hasController(folder)) ? folder : undefined;
}

/** An earlier run with nothing left to run: shows its result again. It may have been killed before its reports. */
async function nothingToRun(
  { nothing, folder, exitCode }: Nothing,
  options: RunFlags,
  which: readonly Report[],
  onResult: (result: RunResult) => void,
): Promise<RunOutcome> {
  if (!options.json) process.stderr.write(`nothing to run: ${nothing}\n`);
  const result = await loadRun(folder);
  const { root } = await findProject(process.cwd());
  await writeReports(result, folder, which, await placeOf(root, result, folder));
  onResult(result);
  return { run: basename(folder), folder, exitCode };
}

/** Repeated tests are not retried: that would hide the failures to be counted. */
function withRetries(cells: readonly Cell[], { retries, repeat }: RunFlags): readonly Cell[] {
  const most = repeat === undefined ? retries : 0;
  if (most === undefined) return cells;
  return cells.map((cell) => ({
    ...cell,
    suite: { ...cell.suite, retries: { ...cell.suite.retries, test: most } },
  }));
}

interface Plan {
  readonly chosen: ChosenCells;
  readonly flags: RunFlags;
  readonly tests: RunOptions['tests'];
  readonly resume?: RunOptions['resume'];
}

/** The work of a command line: cells that it chooses, or those of an earlier run. */
async function planOf(named: string | undefined, options: RunFlags): Promise<Plan | Nothing> {
  const { resume, failed } = options;
  mustNotBeWith(options);
  if (options.repeat !== undefined && options.retries !== undefined)
    throw new ConfigError('--repeat counts how often a test fails, and --retries would hide it: only one is possible');
  if (resume === undefined && failed === undefined) {
    const chosen = await chooseCells(named, options);
    if (options.testsFrom !== undefined)
      return { chosen, flags: options, tests: await readTests(resolve(options.testsFrom)) };
    const tests = chosenTests(options);
    return { chosen, flags: options, tests: tests && new Map(chosen.cells.map(({ name }) => [name, tests])) };
  }
  mustNotChoose(named, options);
  const again =
    resume === undefined ? await whatFailed(failed === true ? 'latest' : failed!) : await whatIsLeft(resume);
  if ('nothing' in again) return again;
  const given = Object.fromEntries(Object.entries(options).filter(([name, value]) => !isDefault(name, value)));
  return { ...again, flags: { ...(again.options as RunFlags), ...given } };
}

/** Options that do not choose what runs: allowed with an earlier run. */
const SHOWING = [
  ...['pause', 'pauseMinutes', 'jobs', 'keep', 'json'],
  ...['part', 'report', 'summary', 'quiet', 'verbose', 'color', 'on', 'detach', 'images', 'preferImages'],
];

/** What may be beside an earlier run; `failed` makes another run of it, whose conditions may differ. */
const BESIDE = {
  resume: new Set(['resume', ...SHOWING]),
  failed: new Set(['failed', ...SHOWING, 'bench', 'cold', 'bail', 'repeat', 'retries']),
};

/** Whether an option was omitted. `--no-bench` and `--no-control` are true by default. */
const isDefault = (name: string, value: unknown): boolean =>
  value === undefined || (['bench', 'control'].includes(name) && value === true);

/** @throws ConfigError for an option, or a matrix, that chooses cells in addition to those of an earlier run. */
function mustNotChoose(named: string | undefined, options: RunFlags): void {
  const what = options.resume === undefined ? 'failed' : 'resume';
  const other = Object.entries(options).find(([name, value]) => !BESIDE[what].has(name) && !isDefault(name, value));
  if (named === undefined && other === undefined) return;
  const which = named === undefined ? `--${other![0]}` : `the matrix ${quote(named)}`;
  throw new ConfigError(`${which} says what to run, and so does --${what}: the run has chosen its cells`, {
    hint: `Leave it out: harness run --${what} RUN`,
  });
}

export const runCommand: CliCommand = {
  name: 'run',
  byCells: true,
  takesCommand: true,
  declare: (command) =>
    displayOptions(reportOption(cellOptions(command)))
      .usage('[options] [matrix] [-- command...]')
      .description('run the cells of a matrix, or a command on each of its machines, and write the reports')
      .option(
        '-t, --test <pattern>',
        'only tests whose full name contains this text or matches this /regex/; commands are chosen by their own name; may be repeated',
        collect,
      )
      .option(
        '--file <glob>',
        "only tests in files that match this glob, such as '*.bench.ts'; may be repeated",
        collect,
      )
      .option('--bail [n]', 'stop after n failures (default: 1); whatever has not run is incomplete', count)
      .option('--repeat <n>', 'run each test n times, passed or not, and report how often it failed', count)
      .option(
        '--retries <n>',
        'how often to retry a failed test; default: what its suite says. With -- COMMAND: at most 5, default 0',
        whole,
      )
      .option('-j, --jobs <n>', 'cells at once; default: as many as memory and cores allow', count)
      .option('--keep', 'keep the targets of failed cells up, and say how to enter them')
      .option('--pause', 'pause at the first failure, before anything is cleaned up, until Enter or `harness resume`')
      .option('--pause-minutes <n>', 'with --pause: continue after n minutes; required without a terminal', count)
      .option('--no-bench', 'skip the benchmarks')
      .option('--no-control', 'do not re-run failed tests to find out whose fault they are')
      .option('--part', 'this run is one of several CI jobs: leave annotations and summary to `harness merge`')
      .option('--no-summary', 'write no GitHub job summary; `harness report --summary` does')
      .option('--cold', 'boot and deploy even if a snapshot could be resumed, and save none')
      .option('--resume <run>', 'continue a run that was killed or interrupted: run the cells that have no result')
      .option('--failed [run]', 'run only what was not green in an earlier run; default: latest')
      .option('--on <engine>', 'run the cells on an engine of machines.yaml, such as a Slurm cluster')
      .option('--detach', 'with --on: submit, print the name of the run, and leave the rest to `harness attach`')
      .option('--images <file>', 'use the images that `harness images build --pin` wrote down, and no others')
      .option(
        '--prefer-images <file>',
        'use those images where a cache has them, and build others, with a warning, where none has',
      )
      .addOption(new Option('--into <folder>', 'the folder of the run, for a part of another one').hideHelp())
      .addOption(new Option('--tests-from <file>', 'the tests of each cell, for a part of another run').hideHelp())
      .addHelpText(
        'after',
        "\nExamples:\n  harness run --arch arm64,ppc64le --no-bench\n  harness run quickstart --only 'arm64/*/*' --keep\n  harness run -t 'says hello'               one test, wherever it is\n  harness run --file 'web.*' -t '/^the page > /'\n  harness run -t 'says hello' --repeat 50   how often it fails\n  harness run --resume latest               after a power cut\n  harness run --failed                      after a fix\n  harness run nightly --on lab              on the cluster `lab` of machines.yaml",
      ),
  act: run,
};
