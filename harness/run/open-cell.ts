import { randomBytes } from 'node:crypto';
import type { Matrix } from '../config/suite.ts';
import type { Cell } from '../matrix/cell.ts';
import { putBack } from '../stacks/undo.ts';
import type { Providers } from '../targets/providers.ts';
import { deployNodes } from './deploy.ts';
import { imageSettings, imagesOf } from './image.ts';
import { openLease } from './lease.ts';
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

/** A cell's target with its stack deployed, for a person to look around in. Disposal releases it. */
export async function openCell(options: OpenCellOptions): Promise<StartedCell> {
  const { cell, matrix, folder, progress } = options;
  const settings = imageSettings(matrix, options.cache);
  const provider = await options.providers(cell.target);
  const images = await imagesOf(cell, provider.image, settings, { progress });
  const lease = openLease(options.state, `shell-${process.pid}-${randomBytes(2).toString('hex')}`, folder);
  try {
    const started = await startCell(cell, {
      matrix,
      provider,
      cache: options.cache,
      folder,
      lease,
      images,
      keep: false,
      cold: false,
      warn: progress,
      signal: new AbortController().signal,
      progress,
      phase: () => {},
    });
    const end = async () => {
      for (const { target } of started.nodes) await putBack(target, { scale: started.scale.factor });
      await started[Symbol.asyncDispose]();
      await lease.end();
    };
    try {
      const signal = new AbortController().signal;
      const deploy = { scale: started.scale.factor, signal, progress, warn: progress };
      if (!started.deployed) await deployNodes(started, cell, deploy);
    } catch (error) {
      await end();
      throw error;
    }
    return { ...started, [Symbol.asyncDispose]: end };
  } catch (error) {
    await lease.end();
    throw error;
  }
}
