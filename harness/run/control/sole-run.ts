import type { Matrix } from '../../config/suite.ts';
import type { HarnessEvent, StoredEvent } from '../../events/types.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { Providers } from '../../targets/providers.ts';
import type { RunContext } from '../cell/context.ts';
import { imageSettings } from '../cell/image.ts';
import { sourcesOf } from '../cell/sources.ts';
import { bailAfter } from '../schedule/bail.ts';
import { openRun } from '../schedule/open-run.ts';
import { pauseOnce } from '../schedule/pause.ts';
import { QuietLock, Slots } from '../schedule/quiet.ts';
import { hostFacts } from '../schedule/started.ts';
import { type RunSuite, runSuiteProcess } from '../suite/suite-process.ts';

export interface SoleRunOptions {
  readonly cell: Cell;
  readonly matrix: Matrix;
  readonly cache: string;
  readonly state: string;
  readonly version: string;
  readonly argv: readonly string[];
  readonly providers: Providers;
  readonly signal: AbortSignal;
  readonly onEvent: (event: StoredEvent) => void;
  readonly onProgress: (message: string) => void;
  /** Runs the files of a suite; absent: vitest in a separate process. */
  readonly runSuite?: RunSuite | undefined;
}

/** A run of one cell, separate from the project's runs. Disposal closes it. */
export interface SoleRun extends AsyncDisposable {
  readonly run: RunContext;
  /** Writes the event that ends the run. */
  finish(end: { readonly exitCode: number; readonly durationMs: number }): Promise<void>;
}

/** Opens a run of one cell that is not one of the project's runs. @param folder parent of its folder, absolute. */
export async function openSoleRun(folder: string, options: SoleRunOptions): Promise<SoleRun> {
  const { cell, matrix, signal } = options;
  const settings = imageSettings(matrix, options.cache);
  const progress = (_cell: string, message: string) => options.onProgress(message);
  const limitBytes = matrix.limits['source-mib'] * 2 ** 20;
  const sources = await sourcesOf([cell], { settings, limitBytes, signal, progress });
  const open = await openRun(folder, options.state, options.onEvent);
  const { name, arch, target, suite, voting } = cell;
  const started: HarnessEvent = {
    ...{ type: 'run.started', run: open.name, harness: options.version, control: matrix.control },
    matrix: { name: matrix.name },
    host: await hostFacts(),
    cells: [{ name, arch, target, suite: suite.name, voting }],
    ...{ jobs: 1, jobsReason: 'one machine after another', argv: options.argv },
  };
  await open.emit(started);
  const run: RunContext = {
    ...{ open, matrix, settings, sources, providers: options.providers, signal, progress },
    choices: { keep: false, bench: true, cold: false },
    ...{ bail: bailAfter(undefined, new Set()), pause: pauseOnce(undefined) },
    schedule: { builders: new Slots(1), guests: new Slots(1), placesOf: () => 1, quiet: new QuietLock() },
    runSuite: options.runSuite ?? runSuiteProcess,
    output: progress,
  };
  return {
    run,
    finish: (end) => open.emit({ type: 'run.finished', interrupted: signal.aborted, ...end }),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
}
