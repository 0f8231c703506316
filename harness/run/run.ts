import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { HarnessError, InfraError } from '../base/errors.ts';
import { placeBelow } from '../base/files.ts';
import { formatDuration } from '../base/text.ts';
import type { Matrix } from '../config/suite.ts';
import { decide, RunFold } from '../events/fold.ts';
import type { HarnessEvent, HostFacts, StoredEvent } from '../events/types.ts';
import { openEventLog } from '../events/writer.ts';
import type { Cell } from '../matrix/cell.ts';
import { nodesOf } from '../matrix/nodes.ts';
import type { Providers } from '../targets/providers.ts';
import { buildersFor, capacityFor, hostCapacity } from './capacity.ts';
import { runCell } from './cell.ts';
import type { ChosenBenchmarks } from './context.ts';
import { imageSettings } from './image.ts';
import { collectGarbage, openLease } from './lease.ts';
import { QuietLock, Slots } from './quiet.ts';
import { type GitState, gitState, pathsInRepository } from './repository.ts';
import { Interrupted } from './step.ts';
import { type RunSuite, runSuiteProcess } from './suite-process.ts';

export interface RunOptions {
  readonly matrix: Matrix;
  readonly cells: readonly Cell[];
  /** The project's folder; results go to `.harness/runs/` below it. */
  readonly project: string;
  readonly cache: string;
  readonly providers: Providers;
  readonly state: string;
  readonly version: string;
  readonly argv: readonly string[];
  readonly jobs?: number | undefined;
  readonly keep: boolean;
  readonly bench: boolean;
  /** The benchmarks to run in each cell, and no scenarios; absent: everything. */
  readonly only?: ChosenBenchmarks | undefined;
  /** Where the run's folder is made; absent: the project's own. */
  readonly runs?: string | undefined;
  /** What the project's folder holds, where it is no repository; absent: git is asked. */
  readonly git?: GitState | undefined;
  /** Neither use nor make snapshots. */
  readonly cold: boolean;
  /** Aborted when the user interrupts. */
  readonly interrupt: AbortSignal;
  readonly onEvent: (event: StoredEvent) => void;
  readonly onProgress: (cell: string, message: string) => void;
  /** Runs the files of a suite; absent: a process of its own, with vitest in it. */
  readonly runSuite?: RunSuite;
  /** Renders the reports of a folder that holds the run's events; called when the run has ended, however it did. */
  readonly onEnd: (folder: string) => Promise<void>;
}

export interface RunOutcome {
  readonly run: string;
  readonly folder: string;
  readonly exitCode: number;
}

/** The folder in which a project keeps its runs. */
export function runsFolder(project: string): string {
  return join(project, '.harness', 'runs');
}

/** Runs the cells of a matrix and writes what happens as events, each on disk before it is shown. */
export async function runMatrix(options: RunOptions): Promise<RunOutcome> {
  const { matrix, cells, project } = options;
  const started = performance.now();
  // What runs before this one left behind when they were killed would hold memory that this one counts on.
  await collectGarbage(options.state, { includeKept: false });
  const run = runName(new Date());
  const runs = options.runs ?? runsFolder(project);
  const folder = join(runs, run);
  await mkdir(folder, { recursive: true });
  const lease = openLease(options.state, run, folder);
  const log = await openEventLog(join(folder, 'events.jsonl'));
  const fold = new RunFold();
  log.onEvent((event) => fold.add(event));
  log.onEvent(options.onEvent);
  const emit = async (event: HarnessEvent) => void (await log.append(event));

  const guestBytes = Math.max(...cells.map((cell) => cell.suite.machine.memory)) * 2 ** 20;
  const machines = cells.reduce((sum, cell) => sum + nodesOf(cell).length, 0);
  const wanted = options.jobs ?? matrix.limits.jobs;
  const host = await hostCapacity();
  const capacity = capacityFor(guestBytes, machines, host, wanted);
  const git = options.git ?? (await gitState(project));
  const inRepository = await pathsInRepository(project);
  await emit({
    type: 'run.started',
    run,
    harness: options.version,
    matrix: {
      name: matrix.name,
      ...(matrix.file === undefined ? {} : { file: placeBelow(project, matrix.file) ?? matrix.file }),
    },
    control: matrix.control,
    host: await hostFacts(),
    cells: cells.map(({ name, arch, target, suite, voting }) => {
      const folder = inRepository(suite.folder);
      return { name, arch, target, suite: suite.name, ...(folder === undefined ? {} : { folder }), voting };
    }),
    jobs: capacity.jobs,
    jobsReason: capacity.reason,
    ...(git ? { git } : {}),
    argv: options.argv,
  });
  await pointLatest(runs, run);

  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Interrupted('the run was interrupted'));
  if (options.interrupt.aborted) onInterrupt();
  options.interrupt.addEventListener('abort', onInterrupt, { once: true });
  const limitMs = matrix.limits.minutes * 60_000;
  const overtime = setTimeout(
    () =>
      stop.abort(
        new InfraError(`cannot finish the run: it took longer than ${formatDuration(limitMs)} (limits.minutes)`),
      ),
    limitMs,
  );
  const context = {
    matrix,
    settings: imageSettings(matrix, options.cache),
    providers: options.providers,
    folder,
    lease,
    emit,
    progress: options.onProgress,
    signal: stop.signal,
    keep: options.keep,
    bench: options.bench,
    only: options.only,
    cold: options.cold,
    builders: new Slots(buildersFor(host)),
    guests: new Slots(capacity.jobs),
    // Who says how many cells means cells, whatever machines they have.
    placesOf: (cell: Cell) => (wanted === undefined ? nodesOf(cell).length : 1),
    quiet: new QuietLock(),
    runSuite: options.runSuite ?? runSuiteProcess,
  };
  let exitCode: number;
  try {
    await Promise.all(cells.map((cell) => runCell(cell, context)));
    const interrupted = stop.signal.reason instanceof Interrupted;
    exitCode = decide(fold.cells(), { interrupted });
    await emit({ type: 'run.finished', exitCode, interrupted, durationMs: Math.round(performance.now() - started) });
  } finally {
    clearTimeout(overtime);
    options.interrupt.removeEventListener('abort', onInterrupt);
    await log.close();
    await lease.end();
  }
  await options.onEnd(folder);
  return { run, folder, exitCode };
}

/** `20261120-214512-3f9a`: sorts by time, and two runs in one second differ. */
function runName(now: Date): string {
  const [date, time] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}-${time}-${randomBytes(2).toString('hex')}`;
}

async function hostFacts(): Promise<HostFacts> {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return {
    arch: process.arch,
    cpu: cpus()[0]?.model.trim() || /^(?:model name|cpu)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] || 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

/** `latest` is the newest run, for people and for `harness report`. */
export async function pointLatest(runs: string, run: string): Promise<void> {
  const link = join(runs, 'latest');
  const temporary = `${link}.${process.pid}`;
  await rm(temporary, { force: true });
  await symlink(run, temporary);
  await rename(temporary, link);
}

/** The folder of a run by its name, `latest` included. */
export async function findRun(project: string, name: string): Promise<string> {
  const folder = name.includes('/') ? name : join(runsFolder(project), name);
  await readFile(join(folder, 'events.jsonl')).catch((cause: unknown) => {
    throw new HarnessError(`cannot find the run ${name}: ${join(folder, 'events.jsonl')} is not there`, { cause });
  });
  return folder;
}
