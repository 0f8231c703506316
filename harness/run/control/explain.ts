import { join } from 'node:path';
import type { Matrix } from '../../config/suite.ts';
import type { TestResult } from '../../events/result.ts';
import type { ControlFinished, StoredEvent } from '../../events/types.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { Providers } from '../../targets/providers.ts';
import type { RunContext } from '../cell/context.ts';
import { imageSettings } from '../cell/image.ts';
import { sourcesOf } from '../cell/sources.ts';
import { bailAfter } from '../schedule/bail.ts';
import { openRun } from '../schedule/open-run.ts';
import { pauseOnce } from '../schedule/pause.ts';
import { QuietLock, Slots } from '../schedule/quiet.ts';
import { hostFacts } from '../schedule/run.ts';
import { type RunSuite, runSuiteProcess } from '../suite/suite-process.ts';
import { legOf } from './leg.ts';
import { tryAgain } from './try-again.ts';
import { unitsOf } from './units.ts';

export interface ExplainOptions {
  readonly cell: Cell;
  /** What failed in it. */
  readonly failed: readonly TestResult[];
  readonly matrix: Matrix;
  /** The project's folder; what is found is written below its `.harness/explain`. */
  readonly project: string;
  readonly cache: string;
  readonly state: string;
  readonly version: string;
  readonly argv: readonly string[];
  readonly providers: Providers;
  /** Providers of the same machines under another build of QEMU. */
  readonly other?: Providers | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: StoredEvent) => void;
  readonly onProgress: (message: string) => void;
  /** Runs the files of a suite; absent: a process of its own, with vitest in it. */
  readonly runSuite?: RunSuite | undefined;
}

/** What became of failures of an earlier run when they were tried again, one entry a test. */
export interface Explained {
  readonly here: readonly ControlFinished[];
  /** On the control architecture; empty where the cell is on it, or its suite is not for it. */
  readonly there: readonly ControlFinished[];
  /** Under the other build of QEMU. */
  readonly other: readonly ControlFinished[];
  /** The folder with its events and consoles. */
  readonly folder: string;
}

/** Tries failures of an earlier run again: where they were, on the control architecture, and under another QEMU. */
export async function explainFailures(options: ExplainOptions): Promise<Explained> {
  const { cell, failed, matrix, signal } = options;
  const settings = imageSettings(matrix, options.cache);
  const progress = (_cell: string, message: string) => options.onProgress(message);
  const limitBytes = matrix.limits['source-mib'] * 2 ** 20;
  const sources = await sourcesOf([cell], { settings, limitBytes, signal, progress });
  await using open = await openRun(join(options.project, '.harness', 'explain'), options.state, options.onEvent);
  const { name, arch, target, suite, voting } = cell;
  await open.emit({
    ...{ type: 'run.started', run: open.name, harness: options.version, control: matrix.control },
    matrix: { name: matrix.name },
    host: await hostFacts(),
    cells: [{ name, arch, target, suite: suite.name, voting }],
    ...{ jobs: 1, jobsReason: 'one machine after another', argv: options.argv },
  });
  const run: RunContext = {
    ...{ open, matrix, settings, sources, providers: options.providers, signal, progress },
    choices: { keep: false, bench: true, cold: false },
    ...{ bail: bailAfter(undefined, new Set()), pause: pauseOnce(undefined) },
    schedule: { builders: new Slots(1), guests: new Slots(1), placesOf: () => 1, quiet: new QuietLock() },
    runSuite: options.runSuite ?? runSuiteProcess,
    output: progress,
  };
  const started = performance.now();
  const units = unitsOf(failed);
  const here = await tryAgain(cell, units, { run, of: name, place: 'here', signal });
  const leg = arch === matrix.control ? undefined : legOf(cell, matrix);
  const there = leg ? await tryAgain(leg, units, { run, of: name, place: 'there', signal }) : [];
  const other = options.other
    ? await tryAgain(cell, units, {
        ...{ run: { ...run, providers: options.other }, of: name, place: 'here', signal },
        folder: join('control', 'other-qemu'),
      })
    : [];
  const durationMs = Math.round(performance.now() - started);
  await open.emit({ type: 'run.finished', exitCode: 0, interrupted: signal.aborted, durationMs });
  return { here, there, other, folder: open.folder };
}
