import { randomBytes } from 'node:crypto';
import type { Matrix } from '../config/suite.ts';
import type { Cell } from '../matrix/cell.ts';
import type { Target } from '../targets/target.ts';
import { imageOf, imageSettings } from './image.ts';
import { openLease } from './lease.ts';
import { startCell } from './start-cell.ts';

export interface OpenCellOptions {
  readonly cell: Cell;
  readonly matrix: Matrix;
  /** Where the console and the overlay go, absolute. */
  readonly folder: string;
  readonly cache: string;
  readonly state: string;
  readonly progress: (message: string) => void;
}

/** A cell's target with its stack deployed, for a person to look around in. Disposal releases it. */
export async function openCell(options: OpenCellOptions): Promise<AsyncDisposable & { readonly target: Target }> {
  const { cell, matrix, folder, progress } = options;
  const settings = imageSettings(matrix, options.cache);
  const image = await imageOf(cell, settings, { progress });
  const lease = openLease(options.state, `shell-${process.pid}-${randomBytes(2).toString('hex')}`, folder);
  try {
    const { target } = await startCell(cell, {
      matrix,
      cache: options.cache,
      folder,
      lease,
      image,
      keep: false,
      cold: false,
      warn: progress,
      signal: new AbortController().signal,
      progress,
      phase: () => {},
    });
    return {
      target,
      async [Symbol.asyncDispose]() {
        await target[Symbol.asyncDispose]();
        await lease.end();
      },
    };
  } catch (error) {
    await lease.end();
    throw error;
  }
}
