import { join } from 'node:path';
import { SuiteError } from '../../base/errors.ts';
import { failAfter } from '../../base/fail-after.ts';
import { makeFolder } from '../../base/files.ts';
import { SCALE_BOUNDS } from '../cell/calibrate.ts';
import type { OnTarget } from '../cell/context.ts';
import { deployOn } from '../cell/deploy.ts';
import { imagesOf } from '../cell/image.ts';
import { type StartedCell, startCell } from '../cell/start-cell.ts';
import type { StepIo } from '../cell/step.ts';

/** How much slower a machine is that counts its instructions: one thread, and no chaining of translated blocks. */
const COUNTING_SLOWDOWN = 3;

/** A second machine with the cell's stack, whose clock counts instructions. Resumed from a snapshot if there is one. */
export async function startCounting({ context, started, signal }: OnTarget, io: StepIo): Promise<StartedCell> {
  const { cell, run } = context;
  if (started.network)
    throw new SuiteError('cannot count instructions: this is for suites of one machine, and this one has nodes');
  const provider = await run.providers(cell.target);
  if (!provider.counts)
    throw new SuiteError(`cannot count instructions on a ${cell.target} target: a vm has a clock that does`);
  io.progress('starting a machine that counts instructions');
  const folder = join(context.folder, 'counting');
  makeFolder(folder);
  const scale = Math.min(SCALE_BOUNDS.most, started.scale.factor * COUNTING_SLOWDOWN);
  const { settings, matrix, open, choices } = run;
  const counting = await startCell(
    cell,
    {
      provider,
      images: await imagesOf(cell, settings, { signal }),
      // Its own clock does not measure real time.
      limits: { ...matrix.limits, scale },
      cold: choices.cold,
      counting: true,
    },
    { folder, cache: settings.cache, lease: open.lease, keep: false, signal },
    { ...io, phase: (phase) => io.phase({ ...phase, name: `counting: ${phase.name}` }) },
  );
  try {
    await deployOn({ context, started: counting, signal }, io);
    return counting;
  } catch (error) {
    return failAfter(error, () => counting[Symbol.asyncDispose]());
  }
}
