import type { TestStep } from './types.ts';

/** A test to run; without a name, every test of the file. */
export interface ChosenTest {
  /** As in events: relative to the suite's folder; for a command its label, or `command`. */
  readonly file: string;
  /** Full name: `describe > test`. */
  readonly test?: string;
}

/**
 * Selects the tests of a cell: those that match every field given here, and any entry of a list. Plain JSON, stored
 * with its cell.
 */
export interface TestSelection {
  /** Text that the full name (`describe > test`) contains, or `/regex/flags` that matches it. */
  readonly names?: readonly string[];
  /** Globs on the file. */
  readonly files?: readonly string[];
  /** These tests by name. */
  readonly only?: readonly ChosenTest[];
  /** Tests of these steps; the others are skipped. */
  readonly steps?: readonly TestStep[];
}
