import { join } from 'node:path';
import type { TestResult } from '../../events/result.ts';
import type { ControlFinished } from '../../events/types.ts';
import type { Providers } from '../../targets/providers.ts';
import { controlLegOf } from './leg.ts';
import { openSoleRun, type SoleRunOptions } from './sole-run.ts';
import { tryAgain } from './try-again.ts';
import { unitsOf } from './units.ts';

export interface ExplainOptions extends SoleRunOptions {
  /** The tests that failed in the cell. */
  readonly failed: readonly TestResult[];
  /** The project's folder; results go to its `.harness/explain`. */
  readonly project: string;
  /** Providers of the same machines, under another QEMU binary. */
  readonly other?: Providers | undefined;
}

/** The results of running the failed tests of an earlier run again, one entry per test. */
export interface Explained {
  readonly here: readonly ControlFinished[];
  /** On the control architecture; empty if the cell is already on it or its suite does not support it. */
  readonly there: readonly ControlFinished[];
  /** Under the other QEMU binary. */
  readonly other: readonly ControlFinished[];
  /** The folder with its events and consoles. */
  readonly folder: string;
}

/** Runs an earlier run's failed tests again: on the same kind of machine, on the control leg, under another QEMU. */
export async function explainFailures(options: ExplainOptions): Promise<Explained> {
  const { cell, failed, matrix, signal } = options;
  await using sole = await openSoleRun(join(options.project, '.harness', 'explain'), options);
  const { run } = sole;
  const started = performance.now();
  const units = unitsOf(failed);
  const here = await tryAgain(cell, units, { run, of: cell.name, place: 'here', signal });
  const leg = cell.arch === matrix.control ? undefined : controlLegOf(cell, matrix);
  const there = leg ? await tryAgain(leg, units, { run, of: cell.name, place: 'there', signal }) : [];
  const other = options.other
    ? await tryAgain(cell, units, {
        ...{ run: { ...run, providers: options.other }, of: cell.name, place: 'here', signal },
        folder: join('control', 'other-qemu'),
      })
    : [];
  await sole.finish({ exitCode: 0, durationMs: Math.round(performance.now() - started) });
  return { here, there, other, folder: run.open.folder };
}
