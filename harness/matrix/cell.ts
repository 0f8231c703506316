import type { CellArch } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';
import type { ReleaseName } from '../releases/index.ts';
import type { TargetKind } from '../targets/kinds.ts';

/** One combination of architecture (or several, for a cluster), kind of target and suite. */
export interface Cell {
  /** `arch/target/suite`, with `@release` where the matrix makes cells of several; see `cellName`. */
  readonly name: string;
  readonly arch: CellArch;
  readonly target: TargetKind;
  readonly suite: Suite;
  /** What its guests and container images are made of; on a machine with a system of its own the latter only. */
  readonly release: ReleaseName;
  readonly voting: boolean;
  /** Kinds of target that the matrix prefers, each with why it was not taken: `ssh: …`. */
  readonly passedOver?: readonly string[];
}
