import type { CellArch } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';
import type { TargetKind } from '../targets/kinds.ts';

/** One combination of architecture (or several, for a cluster), kind of target and suite. */
export interface Cell {
  /** `arch/target/suite`. */
  readonly name: string;
  readonly arch: CellArch;
  readonly target: TargetKind;
  readonly suite: Suite;
  readonly voting: boolean;
  /** Kinds of target that the matrix prefers, each with why it was not taken: `ssh: …`. */
  readonly passedOver?: readonly string[];
}
