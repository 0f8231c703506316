import { basename, relative } from 'node:path';
import {
  pathsOf,
  type Report,
  renderResultsJson,
  renderSummary,
  sendTraces,
  writeAnnotations,
  writeJobSummary,
  writeReports,
} from '../../../reports/index.ts';
import { ConfigError } from '../../base/errors.ts';
import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { version } from '../../base/package.ts';
import { quote } from '../../base/quote.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import type { RunResult } from '../../events/result.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { CellOptions, ChosenCells } from '../../matrix/plan.ts';
import { type RunOptions, type RunOutcome, runMatrix, runsFolder } from '../../run/schedule/run.ts';
import { afterRun } from '../after-run.ts';
import { chooseCells } from '../cells.ts';
import { chosenTests, type TestOptions } from '../chosen-tests.ts';
import { type Nothing, whatIsLeft, whatWasRed } from '../earlier-run.ts';
import { interruptible } from '../interrupt.ts';
import { pauser } from '../pauser.ts';
import { quarantineOf } from '../quarantine.ts';
import { placeOf, type ReportFlags, reportsOf } from '../reports-of.ts';
import { expectedDurations } from '../terminal/expected.ts';
import { sourceReader } from '../terminal/source.ts';
import { createTerminal } from '../terminal/terminal.ts';

export interface RunFlags extends CellOptions, ReportFlags, TestOptions {
  readonly jobs?: number;
  readonly keep?: boolean;
  readonly bench?: boolean;
  readonly cold?: boolean;
  readonly control?: boolean;
  /** For `nightly`: the folder of its history. */
  readonly history?: string;
  readonly part?: boolean;
  readonly summary?: boolean;
  readonly bail?: number | true;
  readonly pause?: boolean;
  readonly pauseMinutes?: number;
  readonly repeat?: number;
  readonly retries?: number;
  readonly resume?: string;
  readonly failed?: string | true;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: 'auto' | 'always' | 'never';
}

/** `harness run [matrix]` */
export async function run(named: string | undefined, options: RunFlags): Promise<number> {
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
  const plan = await planOf(named, options);
  if ('nothing' in plan) return nothingToRun(plan, options, which, onResult);
  const { chosen, flags, tests, resume } = plan;
  const { project, matrix, cells, providers, selection } = chosen;
  const { pause, pauseMinutes } = flags;
  const quarantine = await quarantineOf(project, options.history);
  const onPause = pause || pauseMinutes !== undefined ? pauser(pauseMinutes) : undefined;
  const terminal = options.json
    ? undefined
    : createTerminal({
        stream: process.stderr,
        env: process.env,
        now: Date.now,
        isTty: process.stderr.isTTY === true,
        streams: onPause !== undefined || cells.some(({ suite }) => suite.tests.length > 0),
        ...(options.quiet ? { verbosity: 'quiet' } : options.verbose ? { verbosity: 'verbose' } : {}),
        ...(options.color === undefined || options.color === 'auto' ? {} : { color: options.color === 'always' }),
        expectedMs: await expectedDurations(runsFolder(project.root), matrix.name),
        source: await sourceReader(project.root),
      });
  try {
    return await interruptible({ quiet: options.json === true }, (interrupt) =>
      runMatrix({
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
        interrupt,
        onEvent: (event) => terminal?.event(event),
        onProgress: (cell, message) => terminal?.progress(cell, message),
        onOutput: (cell, line) => terminal?.output(cell, line),
        onEnd: async (folder) => {
          await terminal?.stop();
          await afterRun(async () => {
            const result = await loadRun(folder);
            const written = await afterRun(async () =>
              writeReports(result, folder, which, await placeOf(project.root, result, folder)),
            );
            await afterRun(
              () => terminal?.done(result, shownFolder(folder)),
              () => onResult(result),
              () => void (written && !options.json && process.stderr.write(`\n${placesOf(folder, which)}\n`)),
              () => !options.part && options.summary !== false && writeJobSummary(renderSummary(result)),
              () => !options.part && sendTraces(result),
              // They go to stdout, which must be a single document then.
              () => !options.part && !options.json && writeAnnotations(result),
            );
          });
        },
      }),
    );
  } finally {
    await terminal?.stop();
  }
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
  if (options.repeat !== undefined && options.retries !== undefined)
    throw new ConfigError('--repeat counts how often a test fails, and --retries would hide it: only one is possible');
  if (resume === undefined && failed === undefined) {
    const chosen = await chooseCells(named, options);
    const tests = chosenTests(options);
    return { chosen, flags: options, tests: tests && new Map(chosen.cells.map(({ name }) => [name, tests])) };
  }
  mustNotChoose(named, options);
  const again =
    resume === undefined ? await whatWasRed(failed === true ? 'latest' : failed!) : await whatIsLeft(resume);
  if ('nothing' in again) return again;
  const given = Object.fromEntries(Object.entries(options).filter(([name, value]) => !isDefault(name, value)));
  return { ...again, flags: { ...(again.options as RunFlags), ...given } };
}

/** Options that do not choose what runs: allowed with an earlier run. */
const SHOWING = [
  ...['pause', 'pauseMinutes', 'jobs', 'keep', 'json'],
  ...['part', 'report', 'summary', 'quiet', 'verbose', 'color'],
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

/** The folder of the reports, relative to the current folder if that exists. */
function placesOf(folder: string, which: readonly Report[]): string {
  return `reports: ${shownFolder(folder)}/${pathsOf(which)}`;
}

function shownFolder(folder: string): string {
  return relative(currentFolder(), folder) || '.';
}

/** It may be removed while cells run. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
