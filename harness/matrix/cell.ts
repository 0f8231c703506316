import type { CellArch } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';
import type { ReleaseName } from '../releases/index.ts';
import type { TargetKind } from '../targets/kinds.ts';

/** One combination of architecture (or several, for a cluster), kind of target and suite. */
export interface Cell {
  /** `arch/target/suite`, with `@release` if the matrix has several; see `cellName`. */
  readonly name: string;
  readonly arch: CellArch;
  readonly target: TargetKind;
  readonly suite: Suite;
  /** The release of its guests and container images; on a machine with its own system only of the latter. */
  readonly release: ReleaseName;
  readonly voting: boolean;
  /** Kinds of target that the matrix prefers, each with why it was not taken: `ssh: …`. */
  readonly passedOver?: readonly string[];
}
