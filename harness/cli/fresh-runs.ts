import { rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseCellName } from '../base/cell-name.ts';
import { ConfigError, InfraError } from '../base/errors.ts';
import { makeFolder, placeBelow } from '../base/files.ts';
import { cacheFolder, stateFolder } from '../base/folders.ts';
import { version } from '../base/package.ts';
import { formatDuration } from '../base/text.ts';
import { checkoutCommit } from '../compare/checkout.ts';
import type { Side } from '../compare/confirm.ts';
import type { BenchmarkChange } from '../compare/regression.ts';
import { loadRun } from '../events/load-run.ts';
import type { RunResult } from '../events/result.ts';
import { optionsFor } from '../events/selection.ts';
import type { CellOptions } from '../matrix/plan.ts';
import { Interrupted } from '../run/cell/step.ts';
import { openLease } from '../run/schedule/lease.ts';
import { runMatrix } from '../run/schedule/run.ts';
import { chooseCells } from './cells.ts';

export interface FreshRunsOptions {
  /** The project's folder. */
  readonly project: string;
  /** The runs that are compared. */
  readonly runs: Readonly<Record<Side, RunResult>>;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/** Makes fresh runs of the commits of two runs. Disposal removes their files; the runs' events stay. */
export interface FreshRuns extends AsyncDisposable {
  /** The folder of the events, for inspection. */
  readonly folder: string;
  /** @throws Interrupted; InfraError if the run failed twice for a reason other than the suite. */
  measure(side: Side, suspects: readonly BenchmarkChange[]): Promise<RunResult>;
}

/** @throws ConfigError when the files of one of the commits cannot be had. */
export async function freshRuns(options: FreshRunsOptions): Promise<FreshRuns> {
  const { project, runs } = options;
  const id = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const folder = join(project, '.harness', 'confirm', `${id}-${process.pid}`);
  const files = join(folder, 'commits');
  makeFolder(folder);
  const lease = openLease(stateFolder(), `confirm-${id}-${process.pid}`, folder);
  lease.register({ kind: 'path', path: files });
  const end = async () => {
    await rm(files, { recursive: true, force: true });
    // Without a run there is nothing to keep.
    await rmdir(folder).catch(() => {});
    await lease.end();
  };
  try {
    const places = {
      base: await filesOf(runs.base, project, join(files, 'base'), 'base'),
      new: await filesOf(runs.new, project, join(files, 'new'), 'new'),
    };
    return {
      folder,
      async measure(side, suspects) {
        const once = () => measureOnce(places[side], side, suspects, folder, options);
        const first = await once();
        if (first.exitCode !== 3) return first;
        options.onProgress(`the fresh run ${first.run} had trouble with the infrastructure: once more`);
        const second = await once();
        if (second.exitCode === 3)
          throw new InfraError(`cannot make a fresh run of the ${side} commit: ${reasonOf(second)}`, {
            hint: `Its events are in ${join(folder, second.run)}`,
          });
        return second;
      },
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The project's files as they were when a run was made. */
async function filesOf(run: RunResult, project: string, folder: string, side: Side): Promise<string> {
  if (!run.git)
    throw new ConfigError(`cannot make fresh runs of ${run.run}: it does not say of which commit it is`, {
      hint: 'Only runs of a project in a git repository can be confirmed.',
    });
  if (!run.git.dirty) return checkoutCommit(project, run.git.sha, folder);
  if (side === 'new') return project;
  throw new ConfigError(
    `cannot make fresh runs of ${run.run}: it was made with uncommitted changes, which are not kept`,
    { hint: 'Make a run of a commit the base.' },
  );
}

async function measureOnce(
  place: string,
  side: Side,
  suspects: readonly BenchmarkChange[],
  folder: string,
  { project, runs, signal, onProgress }: FreshRunsOptions,
): Promise<RunResult> {
  const names = [...new Set(suspects.map(({ cell }) => cell))];
  const { named, options } = choiceOf(runs[side], names, project);
  const { matrix, cells, providers } = await chooseCells(named, options, place);
  const { run, exitCode } = await runMatrix({
    matrix,
    cells,
    providers,
    project: place,
    runs: folder,
    git: runs[side].git,
    cache: cacheFolder(),
    state: stateFolder(),
    version,
    argv: process.argv.slice(2),
    // Nothing else may run meanwhile.
    jobs: 1,
    keep: false,
    bench: true,
    tests: new Map(
      names.map((name) => [name, { steps: ['benchmarks'], only: testsOf(runs[side], suspects, name) }] as const),
    ),
    cold: false,
    // Only figures matter; failures need no control leg.
    control: false,
    interrupt: signal,
    onEvent: (event) => {
      if (event.type === 'cell.finished')
        onProgress(`  ${side.padEnd(4)}  ${event.cell}  ${event.verdict} after ${formatDuration(event.durationMs)}`);
    },
    onProgress: () => {},
    onEnd: async () => {},
  });
  if (exitCode === 130) throw new Interrupted('interrupted');
  return loadRun(join(folder, run));
}

/** Filters of a command line without a matrix that include cells of these names. */
function suitesIn(names: readonly string[]): Pick<CellOptions, 'suite' | 'release'> {
  const parts = names.flatMap((name) => parseCellName(name) ?? []);
  return {
    suite: [...new Set(parts.map(({ suite }) => suite))],
    release: [...new Set(parts.flatMap(({ release }) => release ?? []))],
  };
}

/** The selection of some cells of a run, to be applied to the files of a commit. */
function choiceOf(
  run: RunResult,
  names: readonly string[],
  project: string,
): { named: string | undefined; options: CellOptions } {
  const { file } = run.matrix;
  const named = file === undefined ? undefined : matrixIn(file, project);
  const selection = run.cells.find(({ name }) => name === names[0])?.selection ?? run.selection;
  if (selection) return { named, options: optionsFor(selection, names) as CellOptions };
  // A run from before choices were recorded.
  return { named, options: { only: [...names], ...(file === undefined ? suitesIn(names) : {}) } };
}

/** The name of a run's matrix in the files of a commit: the run may have been made elsewhere. */
function matrixIn(file: string, project: string): string {
  return placeBelow(project, file) ?? basename(file).replace(/\.ya?ml$/, '');
}

/** The tests that measured the suspects of a cell; all tests of the file if the run does not say. */
function testsOf(run: RunResult, suspects: readonly BenchmarkChange[], cell: string) {
  const { benchmarks } = run.cells.find(({ name }) => name === cell)!;
  return suspects
    .filter((one) => one.cell === cell)
    .map(({ file, name }) => {
      const test = benchmarks.find((one) => one.file === file && one.name === name)?.test;
      return { file, ...(test === undefined ? {} : { test }) };
    });
}

function reasonOf({ run, cells }: RunResult): string {
  return cells.find(({ reason }) => reason !== undefined)?.reason ?? `${run} has failed`;
}
