import { randomBytes } from 'node:crypto';
import { failAfter } from '../../base/fail-after.ts';
import type { Matrix } from '../../config/suite.ts';
import type { Cell } from '../../matrix/cell.ts';
import { checkTarget } from '../../matrix/gate.ts';
import { undoChanges } from '../../stacks/undo.ts';
import type { Providers } from '../../targets/providers.ts';
import { openLease } from '../schedule/lease.ts';
import { deployNodes, freshenSource } from './deploy.ts';
import { imageSettings, imagesOf } from './image.ts';
import { sourcesOf } from './sources.ts';
import { type StartedCell, startCell } from './start-cell.ts';

export interface OpenCellOptions {
  readonly cell: Cell;
  readonly matrix: Matrix;
  /** Where the console and the overlay go, absolute. */
  readonly folder: string;
  readonly providers: Providers;
  readonly cache: string;
  readonly state: string;
  readonly progress: (message: string) => void;
}

/** A cell's target with its stack deployed, for a person to use. Disposal releases it. */
export async function openCell(options: OpenCellOptions): Promise<StartedCell> {
  const { cell, matrix, folder, progress } = options;
  await checkTarget(cell, options.providers);
  const settings = imageSettings(matrix, options.cache);
  const sources = await sourcesOf([cell], {
    settings,
    limitBytes: matrix.limits['source-mib'] * 2 ** 20,
    signal: new AbortController().signal,
    progress: (_suite, message) => progress(message),
  });
  const tree = sources.get(cell.suite.name);
  const provider = await options.providers(cell.target);
  const images = await imagesOf(cell, settings, { progress });
  const lease = openLease(options.state, `shell-${process.pid}-${randomBytes(2).toString('hex')}`, folder);
  try {
    const { signal } = new AbortController();
    const started = await startCell(
      cell,
      { provider, images, limits: matrix.limits, cold: false, tree },
      { folder, cache: options.cache, lease, keep: false, signal },
      { progress, phase: () => {}, warn: progress, say: progress },
    );
    const end = async () => {
      for (const { target } of started.nodes) await undoChanges(target, { scale: started.scale.factor });
      await started[Symbol.asyncDispose]();
      await lease.end();
    };
    try {
      const deploy = {
        scale: started.scale.factor,
        signal,
        progress,
        warn: progress,
        phase: () => {},
        output: () => {},
      };
      if (started.deployed) await freshenSource(started, tree, deploy);
      else await deployNodes(started, cell, tree, deploy);
    } catch (error) {
      return failAfter(error, end);
    }
    return { ...started, [Symbol.asyncDispose]: end };
  } catch (error) {
    return failAfter(error, () => lease.end());
  }
}
