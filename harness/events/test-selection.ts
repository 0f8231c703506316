import type { TestStep } from './types.ts';

/** A test that is to run; without a name, every test of the file. */
export interface ChosenTest {
  /** As events name it: relative to the suite's folder; of a command its label, or `command`. */
  readonly file: string;
  /** Full name: `describe > test`. */
  readonly test?: string;
}

/**
 * Which tests of a cell are to run: those that pass everything that is given here, and of a list any entry. Plain JSON,
 * stored with the cell that it is for.
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
