import type { Matrix, Suite } from './suite.ts';

/** How often each kind of failure is retried. */
export interface Retries {
  /** A cell whose machine failed, on a fresh one. */
  readonly infra: number;
  /** A cell whose emulator failed, on a fresh machine. */
  readonly emulator: number;
  /** A test that failed, where it failed. */
  readonly test: number;
}

/** The defaults: a suite's own failures are not retried. */
export const DEFAULT_RETRIES: Retries = { infra: 1, emulator: 1, test: 0 };

/**
 * The retries of a suite's cells: what the command line says, else the suite, else the matrix, else the default.
 * @param asked the option of a command line.
 */
export function retriesOf(
  suite: Pick<Suite, 'retries'>,
  matrix: Pick<Matrix, 'retries'>,
  asked: Partial<Retries> = {},
): Retries {
  return { ...DEFAULT_RETRIES, ...matrix.retries, ...suite.retries, ...asked };
}
