import type { CellArch } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';

/** One combination of architecture (or several, for a cluster), kind of target and suite. */
export interface Cell {
  /** `arch/target/suite`. */
  readonly name: string;
  readonly arch: CellArch;
  readonly target: 'vm';
  readonly suite: Suite;
  readonly voting: boolean;
}
