import { messageOf } from '../base/errors.ts';
import { deployStacks } from '../stacks/deploy.ts';
import { anyDeath, type OnTarget, warner } from './context.ts';
import type { CellSnapshot } from './snapshots.ts';
import type { StepIo } from './step.ts';

/** Deploys a cell's stack on its machines and saves them, unless they came with it from a snapshot. */
export async function deployOn(on: OnTarget, io: StepIo): Promise<void> {
  const { cell, context, started } = on;
  if (started.deployed) return;
  const options = { scale: started.scale.factor, signal: context.signal, progress: io.progress };
  const died = anyDeath(started).then((error) => {
    throw error;
  });
  await Promise.race([deployStacks(started.nodes, cell.suite, options), died]);
  if (started.snapshot) await saveSnapshot(on, started.snapshot, io);
}

/** A snapshot that cannot be saved costs the next run its time, not this one its result. */
async function saveSnapshot({ cell, context, started }: OnTarget, snapshot: CellSnapshot, io: StepIo) {
  io.progress('saving a snapshot');
  const begun = performance.now();
  await snapshot.save(started.nodes, started.scale).catch((error: unknown) => {
    context.signal.throwIfAborted();
    warner(cell, context)(`no snapshot was saved: ${messageOf(error)}`);
  });
  io.phase({ name: 'snapshot', durationMs: Math.round(performance.now() - begun) });
}
