import type { Matrix, Suite } from './suite.ts';

/** How often each kind of failure is tried again. */
export interface Retries {
  /** A cell whose machine failed, on a fresh one. */
  readonly infra: number;
  /** A cell whose emulator failed, on a fresh machine. */
  readonly emulator: number;
  /** A test that failed, where it failed. */
  readonly test: number;
}

/** What counts where nobody says otherwise: the suite's word is not doubted by running it again. */
export const DEFAULT_RETRIES: Retries = { infra: 1, emulator: 1, test: 0 };

/**
 * The retries of a suite's cells: what the command line says, else the suite, else the matrix, else the default.
 * @param asked what a command line says.
 */
export function retriesOf(
  suite: Pick<Suite, 'retries'>,
  matrix: Pick<Matrix, 'retries'>,
  asked: Partial<Retries> = {},
): Retries {
  return { ...DEFAULT_RETRIES, ...matrix.retries, ...suite.retries, ...asked };
}
