import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SuiteError } from '../base/errors.ts';
import { SCALE_BOUNDS } from './calibrate.ts';
import { cellFolder, type OnTarget, warner } from './context.ts';
import { deployOn } from './deploy.ts';
import { imagesOf } from './image.ts';
import { type StartedCell, startCell } from './start-cell.ts';
import type { StepIo } from './step.ts';

/** How many times slower a machine is that counts its instructions: one thread, and no chaining of what is translated. */
const COUNTING_SLOWDOWN = 3;

/** A machine beside the cell's own, with the same stack, whose clock counts its instructions. From a snapshot if there is one. */
export async function startCounting({ cell, context, started }: OnTarget, io: StepIo): Promise<StartedCell> {
  if (started.network)
    throw new SuiteError('cannot count instructions: this is for suites of one machine, and this one has nodes');
  io.progress('starting a machine that counts instructions');
  const folder = join(cellFolder(context.folder, cell.name), 'counting');
  await mkdir(folder, { recursive: true });
  const { matrix, lease, cold, signal } = context;
  const provider = await context.providers(cell.target);
  if (!provider.counts)
    throw new SuiteError(`cannot count instructions on a ${cell.target} target: a vm has a clock that does`);
  const scale = Math.min(SCALE_BOUNDS.most, started.scale.factor * COUNTING_SLOWDOWN);
  const counting = await startCell(cell, {
    // Its own clock says nothing of how long it takes here.
    matrix: { ...matrix, limits: { ...matrix.limits, scale } },
    provider,
    cache: context.settings.cache,
    folder,
    lease,
    images: await imagesOf(cell, provider.image, context.settings, { signal }),
    keep: false,
    cold,
    counting: true,
    signal,
    progress: io.progress,
    phase: (phase) => io.phase({ ...phase, name: `counting: ${phase.name}` }),
    warn: warner(cell, context),
  });
  try {
    await deployOn({ cell, context, started: counting }, io);
    return counting;
  } catch (error) {
    await counting[Symbol.asyncDispose]();
    throw error;
  }
}
